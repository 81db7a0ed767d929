"""What the monitor remembers: the only room of SQLAlchemy and Alembic.

`Database` opens a file (SQLite) or a server (PostgreSQL) and gives transactions; the modules beside it speak of one
table each and take the transaction as their first argument.
"""
