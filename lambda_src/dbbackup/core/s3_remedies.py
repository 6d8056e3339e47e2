"""From S3's words for an error to what a person should do.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from typing import Final

from dbbackup.core.units import format_seconds

MOST_SKEW_SECONDS: Final = 900
"""https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationTimeStamp"""
FULL: Final = frozenset(
    {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage", "507"}
)
"""Of stores that are no AWS: there is no room left."""
_UNSIGNED_AT_THE_TIME: Final = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired"})
# An answer to HEAD has no body, so no word but its status.
_WORDLESS: Final = frozenset({"400", "403", "Forbidden", "BadRequest", "Bad Request"})
_CHECKSUMS: Final = re.compile(r"checksum|trailer|aws-chunked|x-amz-content-sha256|x-amz-sdk|streaming", re.IGNORECASE)
_MAY_BE_CHECKSUMS: Final = frozenset(
    {"NotImplemented", "501", "InvalidArgument", "InvalidRequest", "MissingContentLength", "411",
     "UnsupportedOperation", "SignatureDoesNotMatch", "MalformedXML", "XAmzContentSHA256Mismatch"}
)  # fmt: skip
_UNAUTHORIZED: Final = re.compile(r"is not authorized to perform: (?P<right>[\w:*]+)")
_DENIED_BY: Final = re.compile(r"explicit deny in an? (?P<policy>[\w -]+? policy|permissions boundary)")
_CREDENTIALS: Final = "AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_REPEAT: Final = (
    "It was repeated already, with longer pauses. Repeat the command in a few minutes; see the service's health "
    "(health.aws.amazon.com, or your store's own)."
)
_REMEDIES: Final = (
    (("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"),
     "The session's credentials have run out: log in again (aws sso login), or take new ones and repeat. For work that "
     "takes hours, let them last longer, or run where a role is attached, whose credentials renew themselves."),
    (("InvalidToken",),
     "AWS_SESSION_TOKEN is not that of the access key: unset it, or take all three values from one log-in."),
    (("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"),
     f"The access key is not known there: check {_CREDENTIALS}. It may be deleted or of another account or store, or "
     "temporary (ASIA...), which needs its AWS_SESSION_TOKEN."),
    (("SignatureDoesNotMatch",),
     "Check AWS_SECRET_ACCESS_KEY, of which a character was lost perhaps, AWS_REGION, and that no proxy changes what "
     "passes through it."),
    (("AllAccessDisabled", "AccountProblem", "NotSignedUp", "OptInRequired", "InvalidPayer"),
     "The account itself may not use S3 (or this region): look at it in AWS's console, its bills first."),
    (("KMS.DisabledException", "KMS.KMSInvalidStateException"),
     "The bucket's KMS key is disabled or about to be deleted: aws kms cancel-key-deletion, then aws kms enable-key. "
     "Without it no backup there can be read."),
    (("KMS.NotFoundException",),
     "The KMS key that the bucket names is not there: deleted, or in another region or account. Name another in the "
     "bucket's encryption; what was encrypted with it cannot be read without it."),
    (("SlowDown", "ServiceUnavailable", "503", "Throttling", "ThrottlingException", "RequestLimitExceeded",
      "TooManyRequests", "TooManyRequestsException", "429", "KMS.ThrottlingException"),
     f"The store asks for fewer requests at once: let backups begin at different minutes. {_REPEAT}"),
    (("InternalError", "500", "502", "504", "RequestTimeout", "OperationAborted", "BadGateway", "GatewayTimeout"),
     f"A passing fault of the store or of the way to it. {_REPEAT}"),
    (("EntityTooLarge", "413"),
     "Something on the way takes no request of this size: a proxy or gateway (client_max_body_size, for example), or "
     "the store. Let it take 64 MiB, or go around it (NO_PROXY)."),
    (("EntityTooSmall", "InvalidPart", "InvalidPartOrder", "NoSuchUpload"),
     "Parts of the upload are gone: aborted by a life cycle rule (AbortIncompleteMultipartUpload) or by somebody else, "
     "or lost by the store. Repeat the backup."),
    (("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"),
     "The bytes were changed on the way: look for a proxy that changes them, and for faulty memory. Then repeat."),
    (("InvalidBucketName",),
     "Check --bucket or S3_BACKUP_BUCKET: a bucket's name, without s3:// and without a prefix."),
    (("MethodNotAllowed", "405"),
     "The newest version of the object is a delete marker, or the address is no bucket's. Look at its versions: aws "
     "s3api list-object-versions."),
    (("PreconditionFailed", "412", "ConditionalRequestConflict"),
     "Somebody else has stored an object of that name meanwhile. Look at it, then repeat."),
    (("GlacierExpeditedRetrievalNotAvailable",),
     "There is no room for expedited retrievals now: use --retrieval standard, or try again later."),
    (("RestoreAlreadyInProgress",), "It is on its way back: wait for it with --wait, or come back later."),
    (("InvalidRetentionPeriod", "ObjectLockConfigurationNotFoundError"),
     "Evidence is stored under a lock: turn Object Lock on for the bucket, which needs versioning."),
    (("NoSuchBucket",), "Check --bucket or S3_BACKUP_BUCKET, AWS_PROFILE and the account."),
    (("NoSuchKey", "NoSuchVersion", "404", "NotFound"), "`dbbackup list` shows what there is."),
)  # fmt: skip
_MOVED: Final = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "Redirect", "301", "302", "307", "AuthorizationHeaderMalformed",
     "IllegalLocationConstraintException", "IncorrectEndpoint", "InvalidRegionName"}
)  # fmt: skip


def s3_remedy(code: str, said: str, *, region: str | None, skew_seconds: float) -> str:
    """What to do about an error of S3 or of a store that speaks as S3 does.

    Args:
        code: its short word, or the status of an answer without a body.
        said: its message.
        region: of the bucket, where the answer names it.
        skew_seconds: how far the store's clock is ahead of ours.
    """
    if code in _UNSIGNED_AT_THE_TIME or (abs(skew_seconds) > MOST_SKEW_SECONDS and code not in _MOVED):
        off = f" It is {format_seconds(abs(skew_seconds))} {'behind' if skew_seconds > 0 else 'ahead'}."
        return (
            f"Set this machine's clock and let it be kept (timedatectl set-ntp true).{off if skew_seconds else ''} AWS "
            "refuses what was signed more than 15 minutes away from its own time."
        )
    if code in _MAY_BE_CHECKSUMS and (_CHECKSUMS.search(said) or code in ("NotImplemented", "501")):
        return (
            "The store does not know the checksums that S3 has: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required and "
            "AWS_RESPONSE_CHECKSUM_VALIDATION=when_required, and repeat. Every backup is read back and compared in any "
            "case."
        )
    if code in _MOVED:
        there = (
            f"The bucket is in the region {region}: set AWS_REGION={region}"
            if region
            else "Set AWS_REGION to the bucket's region"
        )
        return f"{there}. With a store that is no AWS, set the region that it names, and AWS_ENDPOINT_URL_S3."
    if code.startswith("AccessDenied") or code in ("KMS.AccessDeniedException", "403", "Forbidden"):
        return _of_denial(code, said)
    for codes, remedy in _REMEDIES:
        if code in codes:
            return remedy
    if code in _WORDLESS:
        return (
            "S3 gives no reason here. Most often the session's credentials have run out (log in again) or the bucket "
            "is in another region (AWS_REGION); `dbbackup doctor --bucket NAME` looks at each."
        )
    if code.startswith("KMS."):
        return "Look at the bucket's KMS key: its state, and who may use it."
    return (
        "Repeat it; if it fails again, `dbbackup doctor --bucket NAME` looks at the bucket and at what we may do there."
    )


def _of_denial(code: str, said: str) -> str:
    right = _UNAUTHORIZED.search(said)
    denied_by = _DENIED_BY.search(said)
    if denied_by:
        what = f" {right['right']}" if right else " it"
        return f"A {denied_by['policy']} denies{what}, whatever the role's own policy allows: change that one."
    if code == "KMS.AccessDeniedException" or (right and right["right"].startswith("kms:")) or "kms:" in said:
        wanted = right["right"] if right else "kms:GenerateDataKey and kms:Decrypt"
        return f"Allow {wanted} on the bucket's KMS key, in the policy of the role or user and in that of the key."
    if right:
        return f"Allow {right['right']} in the policy of the role or user, or in that of the bucket."
    return (
        "Check that the role or user may do this, on the bucket and on its KMS key, that AWS_PROFILE is the one you "
        "mean, and that the bucket is the account's own."
    )
