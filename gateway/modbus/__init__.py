"""Inverters, batteries and meters on a Modbus link."""
