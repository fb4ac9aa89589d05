"""The bundled system that misbehaves on a script: something to watch before there is anything to watch."""
