"""The bundled systems that go wrong on a script: something to watch before there is anything to watch."""
