"""The errors that a caller can be told of: one class each, the same on every transport.

`code` is the stable name on the wire, `status` the HTTP status, `close` the WebSocket
close code if the error ends a connection, `retryable` whether the same request may
succeed later unchanged. The message is for people: it says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


class ChatError(Exception):
    """Base of all refusals; itself: an error of ours."""

    code = "internal"
    status = 500
    close = 1011
    retryable = True
    message = "Something went wrong on the server; try again in a moment."
    details: Mapping[str, Any] = MappingProxyType({})  # more fields of a problem document

    def __init__(
        self, message: str | None = None, *, field: str | None = None, **params: Any
    ) -> None:
        """`message` may hold `{names}` of `params`: so it can be shown in another language."""
        self.template, self.params = message or self.message, params
        self.message = self.text()
        super().__init__(self.message)
        self.field = field

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The message, in the language of `translate`."""
        template = translate(self.template)
        return template.format(**self.params) if self.params else template


class BadRequest(ChatError):
    code, status, close, retryable = "bad_request", 400, 4400, False
    message = "The request could not be understood."


class UnknownType(BadRequest):
    code = "unknown_type"


class BadCursor(BadRequest):
    code = "bad_cursor"
    message = "The cursor (last_event_id) must be a whole number, 0 or greater."


class Invalid(BadRequest):
    code, status = "invalid", 422
    message = "A field has a value that is not allowed."


class Unauthenticated(ChatError):
    code, status, close, retryable = "unauthenticated", 401, 4401, False
    message = "Log in, or send a valid access token."


class TokenExpired(Unauthenticated):
    code = "token_expired"
    message = "The access token has expired; refresh it, or log in again."


class OtherUser(Unauthenticated):
    code = "other_user"
    message = "Somebody else is logged in here now. Open the page again."


class WrongPassword(Unauthenticated):
    code = "wrong_password"
    message = "This name and password do not match. Check both and try again."


class AuthTimeout(ChatError):
    code, status, close, retryable = "auth_timeout", 408, 4408, True
    message = "No auth frame came in time."


class RequestTimeout(ChatError):
    code, status, close, retryable = "request_timeout", 408, 4408, True
    message = "The request took too long to arrive; send it again."


class Forbidden(ChatError):
    code, status, close, retryable = "forbidden", 403, 4403, False
    message = "You may not do this."


class CrossOrigin(Forbidden):
    code = "cross_origin"
    message = "This request came from another site, and was refused."


class Banned(Forbidden):
    code = "banned"
    message = "You were banned from this chat."


class NotAMember(Forbidden):
    code = "not_a_member"
    message = "You are not a member of this chat."


class NotFound(ChatError):
    code, status, close, retryable = "not_found", 404, 4400, False
    message = "There is nothing at this address."


class ChatNotFound(NotFound):
    code = "chat_not_found"
    message = "There is no such chat."


class UserNotFound(NotFound):
    code = "user_not_found"
    message = "There is no such user."


class MessageNotFound(NotFound):
    code = "message_not_found"
    message = "There is no such message."


class InviteNotFound(NotFound):
    code = "invite_not_found"
    message = "This invitation does not exist any more; ask for a new one."


class InviteExpired(InviteNotFound):
    code, status = "invite_expired", 410
    message = "This invitation has expired; ask for a new one."


class NotificationNotFound(NotFound):
    code = "notification_not_found"
    message = "There is no such notification."


class AttachmentNotFound(NotFound):
    code = "attachment_not_found"
    message = "This file is not here any more; send it again."


class UploadNotFound(NotFound):
    code = "upload_not_found"
    message = "This upload is not here any more; begin it again."


class MethodNotAllowed(ChatError):
    code, status, close, retryable = "method_not_allowed", 405, 4400, False
    message = "This address does not take this method."


class Conflict(ChatError):
    code, status, close, retryable = "conflict", 409, 4400, False
    message = "This is in conflict with what is there."


class AlreadyGone(Conflict):
    code = "deleted"
    message = "This message was deleted."


class OffsetMismatch(Conflict):
    code = "offset_mismatch"
    message = "The upload goes on at another place; ask how much of it has come."

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.details = {"offset": offset}


class NameTaken(Conflict):
    code = "name_taken"
    message = "This name is taken; choose another."


class TusVersion(ChatError):
    code, status, close, retryable = "tus_version", 412, 4400, False
    message = "This server speaks version 1.0.0 of tus."


class TooLarge(ChatError):
    code, status, close, retryable = "too_large", 413, 1009, False
    message = "This is too large."


class QuotaExceeded(TooLarge):
    code = "quota_exceeded"
    message = "There is no room for this file any more; delete older messages with files first."


class UnsupportedMedia(ChatError):
    code, status, close, retryable = "unsupported_media_type", 415, 4400, False
    message = "Send JSON, text/plain holding JSON, or form fields."


class TypeRefused(UnsupportedMedia):
    code = "type_refused"
    message = "Files of this type are not taken here."


class RateLimited(ChatError):
    code, status, close, retryable = "rate_limited", 429, 4429, True
    message = "Too many at once; wait a moment and try again."

    def __init__(
        self, message: str | None = None, *, retry_after: float = 1.0, **params: Any
    ) -> None:
        super().__init__(message, **params)
        self.retry_after = retry_after


class Unavailable(ChatError):
    code, status, close, retryable = "unavailable", 503, 1013, True
    message = "The server is stopping or overloaded; try again in a moment."


class StoreFailed(Unavailable):
    code = "store_failed"
    message = "The message could not be stored; it was not sent. Try again in a moment."


class Damaged(Invalid):
    code = "damaged"
    message = "This picture is damaged or cut short; make a new copy of it, and send that."


class TooManyPixels(TooLarge):
    code = "too_many_pixels"
    message = "This picture has too many pixels; send a smaller one."


class MediaFailed(Invalid):
    code = "media_failed"
    message = "This file could not be worked on, nor when tried again; send another copy of it."


class StorageFull(Unavailable):
    code, status = "storage_full", 507
    message = "The server has no room for files any more; tell its operator."
