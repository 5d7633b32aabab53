"""Solución Factible: `cancelarSectorPrimario` over SOAP (docs/providers/solucion-factible.md)."""
