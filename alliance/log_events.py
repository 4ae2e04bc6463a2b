"""Every event of the access log, with the sentence in which an administrator reads it: a new one goes here.

Administrators see no ratings. So no sentence they read tells what was marked or found: a look at a flag reads like a
look at the client, and what is only done where there is a flag reads like any other writing (`ALIKE`). The words
that are stored never change: the log stands.
"""

from enum import StrEnum


class LogEvent(StrEnum):
    """What is stored, and the sentence; then the sentence where the client did it, if that is another."""

    sentence: str
    by_client: str

    def __new__(cls, stored: str, sentence: str, by_client: str = "") -> "LogEvent":
        event = str.__new__(cls, stored)
        event._value_ = stored
        event.sentence, event.by_client = sentence, by_client or sentence
        return event

    VIEWED = "viewed", "{who} viewed client {client}"
    LISTED = "listed", "{who} saw {clients} in a list"
    VIEWED_CASELOAD = "viewed caseload", "{who} opened the caseload"
    FIGURES_VIEWED = "figures viewed", "{who} looked at how their supervisees collect and use feedback"
    LANGUAGE_CHOSEN = "language chosen", "Client {client} chose another language for the form"
    RATING_DECLINED = "rating declined", "Client {client} gave the tablet back without a rating"
    CLIENT_REGISTERED = "client registered", "{who} registered client {client}"
    CLIENT_CHANGED = "client changed", "{who} changed the details of client {client}"
    EPISODE_OPENED = "episode opened", "{who} opened an episode of client {client} with {therapist}"
    EPISODE_CLOSED = "episode closed", "{who} closed an episode of client {client}"
    EPISODE_REOPENED = "episode reopened", "{who} reopened an episode of client {client}"
    EPISODE_TAKEN_AWAY = (
        "episode taken away",
        "{who} took back the transfer of client {client} to {therapist}, before anything was written there",
    )
    EPISODE_DAYS_CORRECTED = (
        "episode days corrected",
        "{who} corrected the days of an episode of client {client}",
    )
    COVER_ARRANGED = (
        "cover arranged",
        "{who} let {therapist} cover client {client} from {first} to {last}",
    )
    COVER_ENDED = "cover ended", "{who} ended the cover of client {client} by {therapist}"
    CONSENT_RECORDED = (
        "consent recorded",
        "{who} noted that client {client} agrees to look at an earlier course together",
    )
    CONSENT_WITHDRAWN = (
        "consent withdrawn",
        "{who} noted that client {client} no longer agrees to look at an earlier course together",
    )
    LATE_MARKS_SEEN = (
        "late marks seen",
        "{who} saw what arrived of client {client} after the end of an episode",
    )
    CLIENT_MERGED = "client merged", "{who} merged client {client} into client {other}"
    RECORD_ADDED = "record added", "{who} merged client {other} into client {client}"
    CLIENT_MERGE_UNDONE = (
        "client merge undone",
        "{who} took client {client} out of client {other} again, as before their merge",
    )
    RECORD_TAKEN_OUT = (
        "record taken out",
        "{who} took client {other} out of client {client} again, as before their merge",
    )
    EPISODE_MOVED_IN = "episode moved in", "{who} moved an episode from client {other} to client {client}"
    EPISODE_MOVED_OUT = "episode moved out", "{who} moved an episode from client {client} to client {other}"
    CLIENTS_TOLD_APART = (
        "clients told apart",
        "{who} noted that client {client} and client {other} are two people",
    )
    TELLING_APART_UNDONE = (
        "telling apart undone",
        "{who} took back that client {client} and client {other} are two people",
    )
    SESSION_ADDED = "session added", "{who} added a session of client {client}"
    SESSION_CHANGED = "session changed", "{who} changed a session of client {client}"
    SESSION_VOIDED = "session voided", "{who} voided a session of client {client}"
    SESSION_PUT_BACK = "session put back", "{who} put a voided session of client {client} back"
    HANDED_OVER = "handed over", "{who} handed over to client {client}"
    HANDED_OVER_TO_ANOTHER = (
        "handed over to another",
        "{who} handed a form about client {client} over to a {rater}",
    )
    LINK_MADE_FOR_ANOTHER = (
        "link made for another",
        "{who} made a link to a form about client {client} for a {rater}",
    )
    FORM_GIVEN_BACK = "form given back", "A {rater} gave a form about client {client} back without answers"
    FORM_LANGUAGE_CHOSEN = (
        "form language chosen",
        "A {rater} chose another language for a form about client {client}",
    )
    HAND_OVER_TAKEN_BACK = "hand-over taken back", "{who} took back a hand-over to client {client}"
    LINK_MADE = "link made", "{who} made a link for the phone of client {client}"
    FORM_SENT = "form sent", "{who} sent the form of client {client} to the tablet of a room"
    FORM_OPENED = "form opened", "The form of client {client} was opened"
    RATED = "rated", "{who} entered a rating of client {client}", "Client {client} gave a rating"
    QUESTIONNAIRE_ANSWERED = (
        "questionnaire answered",
        "{who} entered a questionnaire of client {client}",
        "A questionnaire of client {client} was filled in",
    )
    QUESTIONNAIRE_HELD = (
        "questionnaire held",
        "Answers to a questionnaire of client {client} arrived and were held",
    )
    QUESTIONNAIRE_DECIDED = "questionnaire decided", "{who} decided about a questionnaire of client {client}"
    GUESS_MADE = "guess made", "{who} noted something for themselves before a rating of client {client}"
    GUESSING_CHOSEN = "guessing chosen", "{who} changed a setting of their own"
    RISK_ITEMS_CONFIRMED = (
        "self-harm questions confirmed",
        "{who} confirmed what the site does with answers about self-harm to {form}",
    )
    RISK_ITEMS_ENDED = (
        "self-harm questions ended",
        "{who} ended the use of the questions about self-harm of {form}",
    )
    # Written with the answers themselves: the line itself would tell what was answered.
    RISK_ANSWER_RAISED = "self-harm answer raised", "Answers of client {client} were looked through"
    RISK_ANSWER_ACKNOWLEDGED = "self-harm answer acknowledged", "{who} wrote in the record of client {client}"
    RATING_SET_ASIDE = "rating set aside", "Marks of client {client} arrived and were set aside"
    SET_ASIDE_MARKS_USED = (
        "set-aside marks used",
        "{who} let marks of client {client} count that had been set aside",
    )
    SET_ASIDE_MARKS_LEFT = "set-aside marks left", "{who} left marks of client {client} aside"
    SET_ASIDE_MARKS_TAKEN_UP = (
        "set-aside marks taken up",
        "{who} took up marks of client {client} again that had been left aside",
    )
    SET_ASIDE_MARKS_TAKEN_OUT = (
        "set-aside marks taken out",
        "{who} took marks of client {client} out again that had been set aside",
    )
    RATING_CORRECTED = "rating corrected", "{who} corrected a rating of client {client}"
    EARLIER_MARKS_USED_AGAIN = (
        "earlier marks used again",
        "{who} let earlier marks of client {client} count again",
    )
    MARKS_SET_ASIDE = "marks set aside", "{who} set marks in the record of client {client} aside"
    MARKS_MOVED_AWAY = "marks moved away", "{who} moved marks out of the record of client {client}"
    MARKS_MOVED_HERE = "marks moved here", "{who} moved marks into the record of client {client}"
    MARKS_PUT_BACK = "marks put back", "{who} put marks back into the record of client {client}"
    MARKS_MOVED_BACK = (
        "marks moved back",
        "{who} moved marks out of the record of client {client} again, back to where they came in",
    )
    DISCUSSED = "discussed", "{who} noted a conversation with client {client}"
    DISCUSSION_WITHDRAWN = (
        "discussion withdrawn",
        "{who} took back a note of a conversation with client {client}",
    )
    DISCUSSION_CHANGED = (
        "discussion changed",
        "{who} changed a note of a conversation with client {client}",
    )
    DISCUSSION_PUT_BACK = (
        "discussion put back",
        "{who} put back a note of a conversation with client {client}",
    )
    DEFERRED = "deferred", "{who} put off a talk with client {client}"
    DEFERRAL_UNDONE = "deferral undone", "{who} no longer put off a talk with client {client}"
    FOLLOW_UP_NOTED = "follow-up noted", "{who} noted whether a talk with client {client} had helped"
    FOLLOW_UP_UNDONE = (
        "follow-up undone",
        "{who} took back a note on whether a talk with client {client} had helped",
    )
    FOLLOW_UP_CHANGED = (
        "follow-up changed",
        "{who} changed a note on whether a talk with client {client} had helped",
    )
    SUPERVISION_QUESTION_ASKED = (
        "supervision question asked",
        "{who} left a question for supervision at client {client}",
    )
    SUPERVISION_QUESTION_CHANGED = (
        "supervision question changed",
        "{who} changed a question for supervision at client {client}",
    )
    SUPERVISION_QUESTION_ANSWERED = (
        "supervision question answered",
        "{who} answered a question for supervision at client {client}",
    )
    SUPERVISION_TALK_NOTED = (
        "supervision talk noted",
        "{who} noted that client {client} was talked about in supervision",
    )
    SUPERVISION_TALK_CHANGED = (
        "supervision talk changed",
        "{who} changed a note that client {client} was talked about in supervision",
    )
    AGENDA_MADE = "agenda made", "{who} made an agenda for the supervision of {therapist}"
    AGENDA_CHANGED = "agenda changed", "{who} changed an agenda for the supervision of {therapist}"
    AGENDA_VIEWED = "agenda viewed", "{who} opened an agenda for the supervision of {therapist}"
    GROUP_MADE = "group made", "{who} made a therapy group"
    GROUP_CHANGED = "group changed", "{who} changed the name or kind of a therapy group"
    GROUP_LEADERS_CHANGED = "group leaders changed", "{who} named who leads a therapy group"
    GROUP_ENDED = "group ended", "{who} ended a therapy group"
    GROUP_TAKEN_UP = "group taken up", "{who} took up a therapy group again"
    GROUP_VIEWED = "group viewed", "{who} opened the page of a therapy group"
    GROUP_JOINED = "group joined", "{who} took client {client} into a therapy group"
    GROUP_LEFT = "group left", "{who} took client {client} out of a therapy group"
    GROUP_SESSION_BEGUN = "group session begun", "{who} began a session of a therapy group"
    GROUP_SESSION_VOIDED = "group session voided", "{who} voided a session of a therapy group"
    GROUP_SESSION_PUT_BACK = (
        "group session put back",
        "{who} put a voided session of a therapy group back",
    )
    TABLET_PASSED_ROUND = "tablet passed round", "{who} let a tablet go round in a therapy group"
    SHOWN_TOGETHER = "shown together", "{who} looked at a page together with client {client}"
    PERSON_ADDED = "person added", "{who} added {person}"
    PERSON_CHANGED = "person changed", "{who} changed {person}"
    EMAIL_CHANGED = "e-mail address changed", "{who} changed the e-mail address of {person}"
    OWN_EMAIL_CHANGED = "own e-mail address changed", "{who} changed their e-mail address"
    INVITED = "invited", "{who} invited {person} to choose a password"
    SIGN_INS_ENDED = "sign-ins ended", "{who} signed {person} out everywhere"
    SECOND_FACTOR_REMOVED = "second factor removed", "{who} removed the second factor of {person}"
    APPROVAL_ASKED = (
        "approval asked",
        "{who} asked for a second person’s word: {approval}",
        "The server’s command asked for a second person’s word: {approval}",
    )
    APPROVAL_GIVEN = "approval given", "{who} confirmed as the second person: {approval}"
    APPROVAL_REFUSED = "approval refused", "{who} refused: {approval}"
    APPROVAL_WITHDRAWN = "approval withdrawn", "{who} withdrew what they had asked for: {approval}"
    APPROVAL_WAITED = "approval waited", "After 48 hours without a word it took effect: {approval}"
    APPROVAL_VOID = "approval void", "After 48 hours it could not take effect: {approval}"
    EMERGENCY_OPENED = (
        "emergency opened",
        "{who} opened in an emergency, without waiting for a second person: {approval}",
        "The server’s command opened in an emergency: {approval}",
    )
    SIGNED_IN = "signed in", "{who} signed in"
    NEW_BROWSER = "new browser", "{who} signed in on a browser that is new to them"
    SIGNED_OUT = "signed out", "{who} was signed out"
    SIGN_IN_FAILED = "sign-in failed", "Somebody failed to sign in as {person}"
    SECOND_FACTOR_FAILED = (
        "second factor failed",
        "Somebody had the password of {person} and failed at the second factor",
    )
    PASSWORD_CHANGED = "password changed", "{who} changed their password"
    PASSWORD_RESET = "password reset", "{who} chose a password through a link"
    SECOND_FACTOR_ADDED = "second factor added", "{who} added {factor} to their account"
    OWN_SECOND_FACTOR_REMOVED = "own second factor removed", "{who} took {factor} off their account"
    RECOVERY_CODES_RENEWED = "recovery codes renewed", "{who} made new recovery codes"
    SUPERVISION_STARTED = "supervision started", "{who} made {supervisor} the supervisor of {therapist}"
    SUPERVISION_ENDED = "supervision ended", "{who} ended the supervision of {therapist} by {supervisor}"
    SUPERVISION_DAYS_CORRECTED = (
        "supervision days corrected",
        "{who} corrected the days of the supervision of {therapist} by {supervisor}",
    )
    TABLET_PAIRED = "tablet paired", "{who} paired the tablet of a room"
    TABLET_REVOKED = "tablet revoked", "{who} revoked the tablet of a room"
    WORDING_LOADED = "wording loaded", "{who} loaded a wording of {form}"
    WORDING_SWITCHED_ON = "wording switched on", "{who} switched on the wording of {form}"
    WORDING_SWITCHED_OFF = "wording switched off", "{who} switched off the wording of {form}"
    LICENCE_RECORDED = "licence recorded", "{who} recorded a licence for {form}"
    LICENCE_ENDED = "licence ended", "{who} ended a licence for {form}"
    PACK_SWITCHED_ON = (
        "pack switched on",
        "{who} confirmed the terms of the pack of {form}, and switched it on",
    )
    PACK_SWITCHED_OFF = "pack switched off", "{who} switched off the pack of {form}"
    FORM_PLANNED = "form planned", "{who} planned a form: {form}"
    PLANNED_FORM_CHANGED = "planned form changed", "{who} changed when or to whom a form is given: {form}"
    PLANNED_FORM_ENDED = "planned form ended", "{who} took a form out of the plan: {form}"
    FORMS_OF_CLIENT_CHANGED = "forms of client changed", "{who} changed which forms client {client} is given"
    SETTINGS_CHANGED = "settings changed", "{who} saved version {version} of the settings: {form}, {closing}"
    PROMISE_CHANGED = (
        "promise changed",
        "{who} saved version {version} of what forms promise to a {rater} about who sees the marks",
    )
    QUESTION_ADDED = "question added", "{who} added a question of the clinic"
    QUESTION_TAKEN_OUT = "question taken out", "{who} took out a question of the clinic"
    QUESTION_PUT_BACK = "question put back", "{who} put back a question of the clinic"
    QUESTION_LANGUAGE_CHOSEN = "question language chosen", "{who} chose the language of the questions to ask"
    RULES_CHANGED = "rules changed", "{who} saved version {version} of the settings: flag rules of {form}"
    WORK_LIST_CHANGED = (
        "work list changed",
        "{who} saved version {version} of the settings: work list by {work_list}",
    )
    RULES_TRIED = "rules tried", "{who} looked at what other flag rules of {form} would do"
    SETTINGS_USED_AGAIN = (
        "settings used again",
        "{who} saved version {version} of the settings: as version {earlier}",
    )
    IMPORT_FILE_LOADED = "import file loaded", "{who} loaded a file to import: {kind}"
    IMPORT_FILE_REMOVED = "import file removed", "{who} removed a file that was not imported: {kind}"
    FILE_IMPORTED = "file imported", "{who} imported a file: {kind}"
    CLIENT_IMPORTED = "client imported", "{who} imported client {client}"
    COURSE_IMPORTED = "course imported", "{who} imported sessions or earlier ratings of client {client}"
    RECORDS_EXPORTED = "records exported", "{who} exported {clients} as a file"
    OFFICE_RECORDS_EXPORTED = (
        "office records exported",
        "{who} exported people, clients, episodes and sessions as a file, without ratings",
    )
    RECORD_MADE = "record made", "{who} made a file of the whole record of client {client}"
    ERASURE_ASKED = "erasure asked", "{who} asked to erase client {client}"
    ERASURE_CALLED_OFF = "erasure called off", "{who} called off the erasure of client {client}"
    CLIENT_ERASED = (
        "client erased",
        "{who} confirmed an erasure as the second person: client {client} is erased",
        "A client was erased again, after a backup had been restored",
    )
    ERASURES_EXPORTED = "erasures exported", "{who} exported the list of erasures"
    RETENTION_CHANGED = "retention changed", "{who} changed how long records are kept"
    LOG_OPENED = "log opened", "{who} opened the access log{about}"
    LOG_EXPORTED = "log exported", "{who} exported the access log{about}"
    BACKUP_MADE = "backup made", "{who} made a backup of the database"
    DATABASE_RESTORED = (
        "database restored",
        "{who} put the database back as it was at an earlier backup: lines of the time between are not in it",
    )
    LOG_VERIFIED = "log verified", "{who} compared the access log with its seals: nothing was changed"
    LOG_FOUND_CHANGED = (
        "log found changed",
        "{who} found that the access log was changed: see what manage.py audit_verify says",
    )
    LOG_HEAD_SENT = "log head sent", "{who} sent the head of the access log to whoever keeps it elsewhere"
    LOG_HEAD_NOT_SENT = (
        "log head not sent",
        "{who} could not send the head of the access log to everybody who keeps it elsewhere",
    )
    LOG_ARCHIVED = "log archived", "{who} moved lines of the access log to a file"
    KEYS_ROTATED = "keys rotated", "{who} sealed what is stored anew under the newest key"
    REFUSED = "refused", "{who} {refusal}"
    # Written by the system only where a flag came or went: the line itself would tell what was found.
    FLAGS_REFRESHED = "flags refreshed", "{who} looked for flags of client {client}"
    DEMO_SEEDED = "demo seeded", "{who} made an invented clinic"


STORED = {event.value: event for event in LogEvent}
# A look changes nothing on anybody's page; see `sessions_app.dashboards.change_stamp`. As plain strings: an
# index of the log is made with them.
LOOKS = (LogEvent.VIEWED.value, LogEvent.LISTED.value, LogEvent.REFUSED.value)
UNTOLD = frozenset({LogEvent.FLAGS_REFRESHED, LogEvent.RISK_ANSWER_RAISED})
# Between a therapist and whoever supervises them. Whom a supervisor asks about, or talks about, is often one
# whose marks fell.
IN_SUPERVISION = frozenset(
    {
        LogEvent.SUPERVISION_QUESTION_ASKED,
        LogEvent.SUPERVISION_QUESTION_CHANGED,
        LogEvent.SUPERVISION_QUESTION_ANSWERED,
        LogEvent.SUPERVISION_TALK_NOTED,
        LogEvent.SUPERVISION_TALK_CHANGED,
    }
)
# A talk is noted or put off only where a flag calls for one. So these read alike to whoever may not know of flags,
# and are asked for together; sessions are among them, because without any company one sentence tells as much as four.
ALIKE = IN_SUPERVISION | frozenset(
    {
        LogEvent.SESSION_ADDED,
        LogEvent.SESSION_CHANGED,
        LogEvent.SESSION_VOIDED,
        LogEvent.SESSION_PUT_BACK,
        LogEvent.DISCUSSED,
        LogEvent.DISCUSSION_WITHDRAWN,
        LogEvent.DISCUSSION_CHANGED,
        LogEvent.DISCUSSION_PUT_BACK,
        LogEvent.DEFERRED,
        LogEvent.DEFERRAL_UNDONE,
        LogEvent.FOLLOW_UP_NOTED,
        LogEvent.FOLLOW_UP_UNDONE,
        LogEvent.FOLLOW_UP_CHANGED,
        # Only where such an answer came.
        LogEvent.RISK_ANSWER_ACKNOWLEDGED,
    }
)
READS_ALIKE = "{who} wrote in the record of client {client}"
