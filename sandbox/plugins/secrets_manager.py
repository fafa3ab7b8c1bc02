"""Secrets Manager's JSON protocol, without the signatures that no stand-in for AWS checks."""

from typing import Final

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.guard import without_credentials
from sandbox.plugins.json_service import JsonService, NoAnswerError, NoConnectionError
from sandbox.plugins.values import Properties

ANSWER_SECONDS = 10.0
OK = 200
NOT_FOUND: Final = "ResourceNotFoundException"
EXISTS: Final = "ResourceExistsException"
INVALID_REQUEST: Final = "InvalidRequestException"
INVALID_PARAMETER: Final = "InvalidParameterException"


class RefusedError(Exception):
    """Secrets Manager refused an action; `code` is the name of its exception."""

    def __init__(self, action: str, code: str, message: str) -> None:
        super().__init__(f"{action} was refused with {code}: {message}")
        self.code = code


class SecretsManager:
    """Secrets Manager at one endpoint."""

    def __init__(self, endpoint: str, region: str, access_key: str) -> None:
        self.region = region
        self._access_key = access_key
        self._address = without_credentials(endpoint)
        self._service = JsonService(endpoint, {}, ANSWER_SECONDS)

    def call(self, action: str, region: str | None = None, **request: object) -> Properties:
        """Do one action in the region, by default the provider's.

        Leaves out arguments that are None. Raises RefusedError when Secrets Manager refuses it, and
        ProviderError when there is no Secrets Manager at the endpoint.
        """
        body = {key: value for key, value in request.items() if value is not None}
        try:
            response = self._service.send(
                "POST", body=body, headers=self._headers(action, region or self.region)
            )
        except (NoConnectionError, NoAnswerError):
            raise self._nowhere("gives no answer") from None
        try:
            answer: Properties = response.json()
        except ValueError:
            raise self._nowhere(f"answers HTTP {response.status} without JSON") from None
        if response.status == OK:
            return answer
        if "__type" not in answer:
            raise self._nowhere(f"answers HTTP {response.status}")
        code = answer["__type"].rpartition("#")[2]
        raise RefusedError(action, code, answer.get("message") or answer.get("Message", ""))

    def _headers(self, action: str, region: str) -> dict[str, str]:
        scope = f"{self._access_key}/20000101/{region}/secretsmanager/aws4_request"
        return {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"secretsmanager.{action}",
            # moto finds the region in here.
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
        }

    def _nowhere(self, what: str) -> ProviderError:
        return ProviderError(
            f"Secrets Manager at {self._address} {what}. "
            "Check that the sandbox is up and the provider's endpoint for secretsmanager is right."
        )
