"""Errors that name credentials, each made up, with the parts of it that nobody may see.

They are put together here, or a scanner of repositories would take them for real ones.
"""

_A, _B = "Zq8xT4mB7vK2", "pW5nR9cJ3hL6"
_LONG = f"{_A}{_B}{_A}"
_HEX = "0a1b2c3d4e5f6789"


def _joined(*parts: str) -> str:
    return "".join(parts)


_PEM = f"{_LONG}\n{_B}{_A}+/{_B}=="
_BEGIN, _END = ("-----{} {}PRIVATE KEY-----".format(word, "{}") for word in ("BEGIN", "END"))

CREDENTIALS: dict[str, tuple[str, tuple[str, ...]]] = {
    "postgresql": (f"cannot reach postgresql://loader:{_A}@db:5432/dwh", (_A,)),
    "postgresql, not escaped": (f"bad URL postgresql://loader:{_A}/{_B}#x@db:5432/dwh", (_A, _B)),
    "postgresql, escaped": (f"odbc?uri=postgresql%3A%2F%2Floader%3A{_A}%40db%2Fdwh", (_A,)),
    "libpq": (f'connection to "host=db password={_A},{_B} user=loader" failed', (_A, _B)),
    "mysql": (f"(2003, mysql+pymysql://root:{_A}@10.0.0.5/shop)", (_A,)),
    "mongodb": (f"mongodb+srv://app:{_A}@c0.example.net/?retryWrites=true", (_A,)),
    "redis": (f"redis://:{_A}@cache.example.com:6379/0 is down", (_A,)),
    "amqp": (f"amqps://etl:{_A}@mq.example.com//", (_A,)),
    "sql server": (f"Server=tcp:x.database.windows.net;Uid=sa;Pwd={_A};Encrypt=yes", (_A,)),
    "sql server, URL": (f"mssql+pyodbc:///?odbc_connect=UID%3Dsa%3BPWD%3D{_A}%3BX%3D1", (_A,)),
    "oracle": (f"jdbc:oracle:thin:scott/{_A}@//db:1521/x refused", (_A,)),
    "jdbc": (f"jdbc:postgresql://db/dwh?user=x&password={_A}&ssl=true", (_A,)),
    "snowflake": (f"snowflake://etl:{_A}@acme-eu/db/s?warehouse=wh", (_A,)),
    "snowflake session": (f'Snowflake Token="ver:1-hint:92182-{_A}{_B}"', (_A, _B)),
    "snowflake session alone": (f"session ver:3-hint:1234-ETMs{_A} is gone", (_A,)),
    "aws key": (_joined("aws_access_key_id=AK", "IA", "IOSFODNN7FAKEKEY", " denied"), ("FODNN7",)),
    "aws secret": (f"aws_secret_access_key = {_A}/{_B}+abc", (_A, _B)),
    "aws xml": (f"<Credentials><SecretAccessKey>{_A}</SecretAccessKey>", (_A,)),
    "aws session": (f"'SessionToken': '{_LONG}=='", (_A,)),
    "aws signature": (f"GET /x?X-Amz-Credential={_B}&X-Amz-Signature={_A}&x=1", (_A, _B)),
    "gcp service account": (
        '{"type": "service_account", "private_key_id": "'
        + _HEX
        + '", "private_key": "'
        + _BEGIN.format("")
        + "\\n"
        + _PEM.replace("\n", "\\n")
        + "\\n"
        + _END.format("")
        + '\\n", "client_email": "etl@acme.iam.example.com"}',
        (_A, _B, _HEX),
    ),
    "gcp key": (_joined("?key=AI", "za", _LONG[:35], " is not valid"), (_LONG[:35],)),
    "gcp token": (_joined("ya", "29.", _A, "-", _B), (_A, _B)),
    "azure sas": (f"https://acme.blob.core.windows.net/c?sv=2022&sig={_A}%3D&se=1", (_A,)),
    "azure sas first": (f"SharedAccessSignature=sv=2022-11-02&ss=b&sig={_A}%2F{_B}", (_A, _B)),
    "azure storage": (f"AccountName=acme;AccountKey={_A}/{_B}==;EndpointSuffix=x", (_A, _B)),
    "azure service bus": (
        f"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey={_A}=",
        (_A,),
    ),
    "azure api": (f"'Ocp-Apim-Subscription-Key': '{_A}'", (_A,)),
    "github": (_joined("remote: gh", "p_", _A, _B, " was revoked"), (_A, _B)),
    "github fine": (_joined("github", "_pat_", "11AA", _A, "_", _B), (_A, _B)),
    "github in a URL": (f"https://x-access-token:{_A}@github.com/acme/x.git", (_A,)),
    "gitlab": (_joined("token gl", "pat-", _A, "-", _B[:8], " expired"), (_A,)),
    "slack": (_joined("xo", "xb-123456789012-", _A), (_A,)),
    "slack app": (_joined("xa", "pp-1-A0-123-", _A), (_A,)),
    "slack webhook": (f"https://hooks.slack.com/services/T0000/B0000/{_A} gave 404", (_A,)),
    "discord webhook": (f"https://discord.com/api/webhooks/1234/{_A} gave 404", (_A,)),
    "stripe": (_joined("sk", "_live_", _A, " is not allowed"), (_A,)),
    "stripe restricted": (_joined("rk", "_test_", _A), (_A,)),
    "sendgrid": (_joined("SG", ".", _A, ".", _LONG), (_A,)),
    "databricks": (_joined("da", "pi", _HEX, _HEX, " is no token"), (_HEX,)),
    "prefect": (_joined("pn", "u_", _A, _B), (_A, _B)),
    "npm": (_joined("npm", "_", _A, _B), (_A, _B)),
    "npmrc": (f"//registry.npmjs.org/:_authToken={_A}\n_auth={_B}", (_A, _B)),
    "pypi": (_joined("py", "pi-", "AgEI", _A), (_A,)),
    "vault": (_joined("hv", "s.", _A, _B), (_A, _B)),
    "pulumi": (_joined("pul", "-", (_HEX * 3)[:40]), (_HEX,)),
    "language model": (_joined("Incorrect API key provided: sk", "-proj-", _A, _B), (_A, _B)),
    "jwt": (_joined("ey", "JhbGciOiJIUzI1NiJ9.ey", "JzdWIiOiJ4In0.", _A), (_A, "zdWIi")),
    "jwt, cut off": (_joined("ey", "JhbGciOiJIUzI1NiJ9ey", _A), (_A,)),
    "bearer": (f"Authorization: Bearer {_A}.{_B}", (_A, _B)),
    "bearer alone": (f"sent bearer {_A}~{_B}", (_A, _B)),
    "basic": (f"{{'Authorization': 'Basic {_A}=='}}", (_A,)),
    "basic alone": (f"header was Basic {_A}==", (_A,)),
    "cookie": (f"Set-Cookie: session={_A}; HttpOnly", (_A,)),
    "basic in a URL": (f"https://etl:{_A}@api.example.com/v1/items gave 500", (_A,)),
    "user in a URL": (f"https://{_A}@git.example.com/x.git", (_A,)),
    "private key": (f"{_BEGIN.format('RSA ')}\n{_PEM}\n{_END.format('RSA ')} is wrong", (_A, _B)),
    "private key, cut off": (f"{_BEGIN.format('OPENSSH ')}\n{_PEM}", (_A, _B)),
    "password": (f"password={_A} host=db", (_A,)),
    "password, quoted": (f'SNOWFLAKE_PASSWORD: "{_A} {_B}"', (_A, _B)),
    "password, escaped": (f'"{{\\"passwd\\": \\"{_A}\\"}}"', (_A,)),
    "password on a command line": (f"psql --password {_A} -h db", (_A,)),
    "user on a command line": (f"curl -u etl:{_A} https://x", (_A,)),
    "password in SQL": (f"ALTER USER etl WITH PASSWORD '{_A}'", (_A,)),
    "identified by": (f"CREATE USER 'etl' IDENTIFIED BY '{_A}'", (_A,)),
    "client secret": (f"client_secret={_A}&grant_type=client_credentials", (_A,)),
    "api key": (f"x-api-key: {_A}", (_A,)),
    "dsn": (f"SENTRY_DSN=https://{_A}@o1.ingest.example.com/1", (_A,)),
    "routing key": (f"{{'routing_key': '{_A}'}}", (_A,)),
}
