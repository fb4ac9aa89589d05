"""The API under `/api/v1`: what it answers, made of models from which its OpenAPI document is generated."""
