from tests.warehouse.conftest import bank

__all__ = ["bank"]
