-- What the demo's world fills, as docker-compose.yml starts it: a role that may hold 20 connections, and a database of its own.
-- It runs once, when the server's volume is new. The store's own database is another one, and is left alone.
CREATE ROLE shop LOGIN PASSWORD 'demo' CONNECTION LIMIT 20 IN ROLE pg_monitor;
CREATE DATABASE shop OWNER shop;
