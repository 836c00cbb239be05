"""How bytes reach a client: one small file per transport, all over `delivery.Subscriber`.

A new one is a module with a `blueprint` of its addresses, and one line in `table.py`.
"""
