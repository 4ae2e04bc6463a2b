"""Every setting of the site, in one page. What a clinic may set is listed in docs/deployment.md."""

from pathlib import Path

from csp.constants import NONE, SELF

from alliance.environment import Environment, SettingError, refuse_in_public
from alliance.file_headers import only_for_our_pages
from alliance.operations.logging_setting import logging_of

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = Environment(BASE_DIR / ".env")
env.refuse_a_path()

# --- What kind of start this is ---------------------------------------------------------------
DEMO = env.switch("DEMO", False)
DEBUG = env.switch("DEBUG", False)
TRY_OUT = DEMO or DEBUG
HTTPS = env.switch("HTTPS", not TRY_OUT)
# All staff need a second factor. A try-out may leave it off, but then serves on this machine only.
SECOND_FACTOR_REQUIRED = env.switch("SECOND_FACTOR", not TRY_OUT)
LOCAL_ONLY = not (HTTPS and SECOND_FACTOR_REQUIRED)

SECRET_KEY = env.secret("SECRET_KEY", keep_in=VAR_DIR / "secret_key" if TRY_OUT else None)
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", local_only=LOCAL_ONLY)
# How many proxies in front tell the truth about the visitor's address. Counted too low, the whole clinic
# shares one address and one lock-out; too high, anybody can pose as another address.
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", 1 if HTTPS else 0)
if HTTPS and not TRUSTED_PROXIES:
    raise SettingError(
        "HTTPS is on and TRUSTED_PROXIES is 0, but this server speaks plain HTTP; "
        "put a proxy with a certificate in front of it and write 1."
    )
SECURITY_CONTACT = env.contact("SECURITY_CONTACT")
refuse_in_public(ALLOWED_HOSTS, debug=DEBUG, keys=[SECRET_KEY, *SECRET_KEY_FALLBACKS])
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS] if HTTPS else []
# --- Apps and middleware ----------------------------------------------------------------------
INSTALLED_APPS = [
    "alliance",
    "clients",
    "sessions_app",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "alliance.static_files.CollectedFiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "alliance.operations.request_log.log_requests",
    "alliance.compressed.StaffPages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "alliance.middleware.headers",
    # Whatever refuses stands below this line, so that its answer has all headers.
    "alliance.middleware.only_methods_of_pages",
    "alliance.middleware.only_utf_8",
    "alliance.operations.metrics_page.answer_metrics",
    "alliance.operations.maintenance.close_while_maintained",
    "alliance.operations.policy_reports.take_reports",
    "alliance.middleware.Sessions",
    "alliance.operations.probes.answer_probes",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "alliance.middleware.know_who_is_signed_in",
    "sessions_app.intake.room_tablets.keep_the_paired_tablet_to_its_room",
    "alliance.middleware.keep_the_tablet_locked",
    "alliance.middleware.end_old_sign_in",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "alliance.saved_forms.tell_what_was_saved",
    "alliance.middleware.PageRules",
]
ROOT_URLCONF = "alliance.urls"
WSGI_APPLICATION = "alliance.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "alliance.middleware.site",
            ],
        },
    },
]

# --- Database and cache -----------------------------------------------------------------------
database = env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / ('demo' if DEMO else 'alliance')}.sqlite3")
if database["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(exist_ok=True)
    database["OPTIONS"] = {
        # IMMEDIATE: a writer queues at once instead of failing half-way with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: an acknowledged rating survives a power cut, also in WAL mode.
        # secure_delete: what was erased is overwritten in the file, not only forgotten by its index.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;"
        " PRAGMA secure_delete=ON;",
    }
    database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    from alliance.pooled_connection import PooledConnection

    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),  # what the address itself asks for, such as ?sslmode=verify-full
        "pool": {
            "connection_class": PooledConnection,
            "min_size": 1,
            "max_size": env.whole("DATABASE_POOL", 4, least=1),
            "timeout": 10,
            # How long it tries for one connection. It doubles its pauses meanwhile: with the five minutes it takes
            # otherwise, the site stayed away for as long again as the database had been. Who comes next starts anew.
            "reconnect_timeout": 3,
        },
    }
    # A pooler such as pgbouncer in transaction mode gives each transaction another connection: nothing may stay on one.
    # Prepared statements are off in Django unless asked for.
    database["DISABLE_SERVER_SIDE_CURSORS"] = env.switch("DATABASE_POOLER", False)
    database["CONN_HEALTH_CHECKS"] = True  # a pool would hand out dead connections after a restart
DATABASES = {"default": database}
# Backups (alliance/operations/backup.py): where they lie, who can read them, how many are kept.
BACKUP_FOLDER = env.text("BACKUP_FOLDER", str(VAR_DIR / "backups"))
BACKUP_RECIPIENTS = env.names("BACKUP_RECIPIENTS")
# How backups connect: a role that reads all tables and may make databases, for the copies.
BACKUP_DATABASE = env.database("BACKUP_DATABASE_URL", "") if env.text("BACKUP_DATABASE_URL") else None
BACKUP_KEEP = (
    env.whole("BACKUP_KEEP_DAILY", 14, least=1),
    env.whole("BACKUP_KEEP_WEEKLY", 8),
    env.whole("BACKUP_KEEP_MONTHLY", 12),
)
# Who owns the tables: `manage.py migrate` alone connects so (alliance/operations/owner.py).
DATABASE_POOLER = bool(database.get("DISABLE_SERVER_SIDE_CURSORS"))
DATABASE_OWNER = env.owner_of("DATABASE_OWNER_URL", database)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Sign-in limits and the replay guard of one-time codes live in the cache: it must be shared by all
# workers. With per-process memory, four workers let 20 wrong passwords through where the limit was 5.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # Of Django's 300 a third is thrown away when full: 300 tried addresses would end every lock-out.
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}

# --- Accounts ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "alliance.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "alliance.guessable_passwords.NotGuessable"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "alliance.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an administrator vouches for the address by inviting it
ACCOUNT_FORMS = {
    "login": "alliance.account_forms.LoginForm",
    "change_password": "alliance.account_forms.ChangePasswordForm",
    "reset_password": "alliance.account_forms.ResetPasswordForm",
    "reset_password_from_key": "alliance.account_forms.ResetPasswordKeyForm",
    "reauthenticate": "alliance.account_forms.ReauthenticateForm",
}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = (
    300  # the sign-in counts too: `AccountAdapter.is_reauthentication_required`
)
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "alliance.password_links.LinkGenerator"  # noqa: S105 - a class
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # else anybody could have this server write to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {
    # Not by address for everybody: a client on the clinic's Wi-Fi could then keep all staff out (ADR 18). By
    # address for strange browsers alone: `limits.LIMITS`.
    "login": None,
    "login_failed": "5/5m/key",
    # Each link that was sent is good for an hour, and ends the one before: nobody needs a fourth in the same hour.
    "reset_password": "20/h/ip,3/h/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_ADAPTER = "alliance.accounts.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Session alliance"
# RFC 6238, 5.2 and 6: one step of 30 seconds forward and backward, for clocks that differ and for slow typing.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "activate_totp": "alliance.account_forms.ActivateTOTPForm",
    "authenticate": "alliance.one_time_codes.AuthenticateForm",
    "reauthenticate": "alliance.one_time_codes.ReauthenticateForm",
}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
USERSESSIONS_TRACK_ACTIVITY = False
PASSWORD_RESET_TIMEOUT = (
    72 * 3600
)  # an invitation is good for three days; a reset for one hour: `password_links`

# --- Sessions, cookies, headers ---------------------------------------------------------------
SESSION_ENGINE = "alliance.session_store"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Django's first choice is a cookie of its own, which outlives a hand-over: "K-1 is registered" would wait there.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SIGNED_IN_HOURS = 12
SESSION_COOKIE_AGE = SIGNED_IN_HOURS * 3600  # moves with every save; middleware.end_old_sign_in counts
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
IDLE_MINUTES = 15
# Signed in without a second factor yet: long enough to set one up, and no longer.
SETTLING_IN_MINUTES = 10
CSRF_FAILURE_VIEW = "sessions_app.intake.views.errors.csrf_failure"
SECURE_SSL_REDIRECT = False  # the proxy in front does it; /healthz must answer plain HTTP inside
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Where browsers say what they refused: alliance/operations/policy_reports.py.
POLICY_REPORTS = "/policy-reports"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [
            SELF,
            "data:",
            "blob:",
        ],  # data: the QR of the second factor; blob: the chart as a picture
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # No string becomes a page or a script, but through these policies: docs/adr/0073-trusted-types.md.
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["default", "device-worker", "other-language"],
        # Browsers that know report-to ignore report-uri, and take no address for it over plain HTTP.
        "report-uri": [POLICY_REPORTS],
        "report-to": ["policy"] if HTTPS else None,
    }
}
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # SECURE_SSL_REDIRECT: see above

# --- Language, time, files, mail --------------------------------------------------------------
LANGUAGE_CODE = "en"
# Of the client's form. There is no LocaleMiddleware: it would turn the sign-in pages, which bring their own
# translations, into the browser's language, and leave every other page of staff English.
LANGUAGES = [
    ("en", "English"),
    ("es", "Spanish"),
    ("de", "German"),
    ("fr", "French"),
    ("ar", "Arabic"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE")
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Texts of instruments that are free under their owner's terms lie apart from the program.
INSTRUMENT_PACKS = env.text("INSTRUMENT_PACKS", str(VAR_DIR / "packs"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "alliance.static_files.HashedFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ADD_HEADERS_FUNCTION = only_for_our_pages
vars().update(env.mail("EMAIL_URL"))
# Who is sent the head of the access log each day, and where its months go that are over for long.
AUDIT_HEAD_TO = env.addresses("AUDIT_HEAD_TO", needs_mail="EMAIL_URL")
AUDIT_ARCHIVE = env.text("AUDIT_ARCHIVE", str(VAR_DIR / "access_log"))
# How many past months stay in the table where the clock moves older ones; 0: it moves none.
AUDIT_ARCHIVE_KEEP = env.months("AUDIT_ARCHIVE_KEEP")
# For each answer of the mail server. How long a page waits for a whole mail: `alliance.mail.PATIENCE`.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "alliance@localhost")
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# --- What is told of the site: docs/deployment.md, "Logs, figures and notices" ---------------------
LOG_FORMAT = env.one_of("LOG_FORMAT", ("json", "plain"), "plain" if TRY_OUT else "json")
METRICS_TOKEN = env.token("METRICS_TOKEN")
ERROR_NOTICES_TO = env.names("ERROR_NOTICES_TO")
SENTRY_DSN = env.text("SENTRY_DSN")
LOGGING = logging_of(LOG_FORMAT, notices=bool(ERROR_NOTICES_TO), sentry=bool(SENTRY_DSN))

if (
    DEMO
    and database["ENGINE"] == "django.db.backends.postgresql"
    and not env.switch("DEMO_ON_POSTGRESQL", False)
):
    raise SettingError("DEMO is on with a PostgreSQL database; take DEMO out, or set DEMO_ON_POSTGRESQL=on.")
