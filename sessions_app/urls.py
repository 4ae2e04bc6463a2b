"""The pages of the client, the therapist and the supervisor, and of the administrator about forms."""

from django.urls import path

from clients.views import covers
from sessions_app.conversations import views as together
from sessions_app.corrections import misfiling_views
from sessions_app.corrections import views as set_aside
from sessions_app.dashboards.views import (
    agendas,
    caseload,
    consents,
    dashboard,
    deferrals,
    figures,
    follow_ups,
    late_marks,
    neighbours,
    questionnaires,
    talks,
)
from sessions_app.groups.views import group_sessions, groups, passing
from sessions_app.instruments import promise_views
from sessions_app.instruments import views as instruments
from sessions_app.intake.views import (
    go,
    guesses,
    offline,
    paper_forms,
    rate,
    raters,
    room,
    sending,
    tablets,
    therapy_sessions,
    upload,
)
from sessions_app.moving_in import views as moving_in
from sessions_app.plans import course_views
from sessions_app.plans import views as plan
from sessions_app.questionnaires import views as risk_items
from sessions_app.records.views import erasures, exports, records
from sessions_app.rulebook.views import rules, settings
from sessions_app.supervision import views as supervision

rate_pages = [
    path("", rate.form, name="form"),
    path("done/", rate.done, name="done"),
    path("not-today/", rate.not_today, name="not_today"),
    path("help/", rate.help_page, name="help"),
    path("upload/", upload.upload, name="upload"),
    path("worker.js", offline.worker, name="worker"),
]
go_pages = [
    path("", go.start, name="start"),
    path("worker.js", offline.worker, name="worker"),
]
room_pages = [
    path("", room.home, name="home"),
    path("waiting/", room.waiting, name="waiting"),
    path("start/", room.start, name="start"),
    path("worker.js", offline.worker, name="worker"),
]
tablet_pages = [
    path("", tablets.listing, name="list"),
    path("pair/", tablets.pair, name="pair"),
    path("<uuid:code>/revoke/", tablets.revoke, name="revoke"),
]
import_pages = [
    path("", moving_in.listing, name="list"),
    path("new/", moving_in.load, name="load"),
    path("example.csv", moving_in.example, name="example"),
    path("<uuid:code>/", moving_in.run, name="run"),
    path("<uuid:code>/columns/", moving_in.columns, name="columns"),
    path("<uuid:code>/layout/", moving_in.layout, name="layout"),
    path("<uuid:code>/check/", moving_in.check, name="check"),
    path("<uuid:code>/confirm/", moving_in.confirm, name="confirm"),
    path("<uuid:code>/remarks.csv", moving_in.remarks, name="remarks"),
    path("<uuid:code>/remove/", moving_in.remove, name="remove"),
]
instrument_pages = [
    path("", instruments.listing, name="list"),
    path("load/", instruments.load, name="load"),
    path("wordings/<uuid:code>/", instruments.wording, name="wording"),
    path("wordings/<uuid:code>/on/", instruments.switch_on, name="switch_on"),
    path("wordings/<uuid:code>/off/", instruments.switch_off, name="switch_off"),
    path("licences/new/", instruments.record_licence, name="record_licence"),
    path("licences/<uuid:code>/end/", instruments.end_licence, name="end_licence"),
    path("packs/on/", instruments.switch_on_pack, name="switch_on_pack"),
    path("packs/<uuid:code>/off/", instruments.switch_off_pack, name="switch_off_pack"),
    path("self-harm/", risk_items.risk_items, name="risk_items"),
    path("self-harm/confirm/", risk_items.confirm_risk_items, name="confirm_risk_items"),
    path("self-harm/<uuid:code>/end/", risk_items.end_risk_items, name="end_risk_items"),
]
plan_pages = [
    path("", plan.listing, name="list"),
    path("add/", plan.add, name="add"),
    path("<uuid:code>/change/", plan.change, name="change"),
    path("<uuid:code>/end/", plan.end, name="end"),
    path("<uuid:code>/undo/", plan.undo, name="undo"),
    path("<uuid:code>/put-back/", plan.put_back, name="put_back"),
]
settings_pages = [
    path("", settings.change, name="change"),
    path("rules/", settings.rules, name="rules"),
    path("rules/effect/", settings.effect, name="effect"),
    path("work-list/", settings.work_list, name="work_list"),
    path("work-list/effect/", settings.work_list_effect, name="work_list_effect"),
    path("rules/simulated/", settings.simulated, name="simulated"),
    path("recomputation/", settings.recomputation, name="recomputation"),
    path("promises/", promise_views.listing, name="promises"),
    path("promises/change/", promise_views.change, name="change_promise"),
    path("versions/", settings.versions, name="versions"),
    path("versions/<uuid:code>/use/", settings.use_again, name="use_again"),
]
rule_pages = [
    path("", rules.listing, name="list"),
    path("conversation/", rules.conversation, name="conversation"),
    path("questions/", rules.questions, name="questions"),
    path("questions/language/", rules.choose_language, name="choose_language"),
    path("questions/add/", rules.add_question, name="add_question"),
    path("questions/<uuid:code>/take-out/", rules.take_out_question, name="take_out_question"),
    path("questions/<uuid:code>/put-back/", rules.put_back_question, name="put_back_question"),
    path("<slug:slug>/", rules.rule, name="rule"),
]
dashboard_pages = [
    path("", dashboard.day, name="work_list"),
    path("figures/", figures.own, name="figures"),
    path("clients/<uuid:code>/", dashboard.client, name="client"),
    path("clients/<uuid:code>/next/", neighbours.next_client, name="next_client"),
    path("clients/<uuid:code>/previous/", neighbours.previous_client, name="previous_client"),
    path("clients/<uuid:code>/hand-over/", therapy_sessions.hand_over, name="hand_over"),
    path("clients/<uuid:code>/forms/", course_views.forms_of_client, name="forms"),
    path("clients/<uuid:code>/forms/give/", course_views.give, name="give_form"),
    path("clients/<uuid:code>/forms/scale/", course_views.choose_scale, name="choose_scale"),
    path("clients/<uuid:code>/forms/off/", course_views.switch_off, name="switch_form_off"),
    path("forms/<uuid:code>/by-the-plan/", course_views.by_the_plan, name="by_the_plan"),
    path("clients/<uuid:code>/paper/", therapy_sessions.on_paper, name="on_paper"),
    path("clients/<uuid:code>/rating/", therapy_sessions.enter_new_rating, name="enter_new_rating"),
    path("clients/<uuid:code>/link/", sending.make_link, name="make_link"),
    path("clients/<uuid:code>/send/", sending.send, name="send"),
    path("clients/<uuid:code>/raters/", raters.raters, name="raters"),
    path("forms/<uuid:code>/take-back/", raters.take_form_back, name="take_form_back"),
    path("sessions/<uuid:code>/own-form/", raters.own_form, name="own_form"),
    path("clients/<uuid:code>/guess/", guesses.guess, name="guess"),
    path("guesses/", guesses.listing, name="guesses"),
    path("guesses/choose/", guesses.choose, name="choose_guessing"),
    path("links/<uuid:code>/sent/", sending.sent, name="sent"),
    path("clients/<uuid:code>/sessions/add/", therapy_sessions.add_session, name="add_session"),
    path("sessions/<uuid:code>/change/", therapy_sessions.change_session, name="change_session"),
    path("sessions/<uuid:code>/void/", therapy_sessions.void_session, name="void_session"),
    path("sessions/<uuid:code>/put-back/", therapy_sessions.put_session_back, name="put_session_back"),
    path("sessions/<uuid:code>/take-back/", therapy_sessions.take_back, name="take_back"),
    path("sessions/<uuid:code>/rating/", therapy_sessions.enter_rating, name="enter_rating"),
    path("sessions/<uuid:code>/paper/", paper_forms.enter, name="paper_forms"),
    path("sessions/<uuid:code>/paper/blank/", paper_forms.blank, name="blank_paper_form"),
    path("sessions/<uuid:code>/discuss/", dashboard.discuss, name="discuss"),
    path("discussions/<uuid:code>/edit/", talks.edit, name="edit_discussion"),
    path("discussions/<uuid:code>/take-back/", talks.take_back, name="take_back_discussion"),
    path("discussions/<uuid:code>/put-back/", talks.put_back, name="put_back_discussion"),
    path("discussions/<uuid:code>/undo/", talks.undo, name="undo_discussion"),
    path("clients/<uuid:code>/defer/", deferrals.defer, name="defer"),
    path("deferrals/<uuid:code>/undo/", deferrals.undo, name="undo_deferral"),
    path("deferrals/<uuid:code>/take-back/", deferrals.take_back, name="take_back_deferral"),
    path("discussions/<uuid:code>/helped/", follow_ups.note, name="note_follow_up"),
    path("follow-ups/<uuid:code>/undo/", follow_ups.undo, name="undo_follow_up"),
    path("follow-ups/<uuid:code>/change/", follow_ups.change, name="change_follow_up"),
    path("clients/<uuid:code>/late-marks/seen/", late_marks.seen, name="late_marks_seen"),
    path("earlier/<uuid:code>/consent/", consents.record, name="record_consent"),
    path("consents/<uuid:code>/withdraw/", consents.withdraw, name="withdraw_consent"),
    path("set-aside/<uuid:code>/use/", set_aside.use, name="use_marks"),
    path("set-aside/<uuid:code>/leave/", set_aside.leave, name="leave_marks"),
    path("set-aside/<uuid:code>/take-up/", set_aside.take_up, name="take_up_marks"),
    path("set-aside/<uuid:code>/misfiled/", misfiling_views.misfile_arrived, name="misfile_marks"),
    path("ratings/<uuid:code>/correct/", set_aside.correct, name="correct_rating"),
    path("ratings/<uuid:code>/put-back/", set_aside.put_back, name="put_back"),
]
marks_pages = [
    path("<uuid:code>/set-aside/", misfiling_views.misfile, name="set_aside"),
    path("<uuid:code>/put-back/", misfiling_views.put_back, name="put_back"),
]
questionnaire_pages = [
    path("clients/<uuid:code>/", questionnaires.panels, name="panels"),
    path(
        "clients/<uuid:code>/with-the-alliance/", questionnaires.with_the_alliance, name="with_the_alliance"
    ),
    path("answers/<uuid:code>/count/", questionnaires.count, name="count"),
    path("answers/<uuid:code>/leave/", questionnaires.leave, name="leave"),
    path("self-harm/<uuid:code>/", questionnaires.risk_answer, name="risk_answer"),
]
together_pages = [
    path("<uuid:code>/choose/", together.choose, name="choose"),
    path("<uuid:code>/", together.show, name="show"),
]
export_pages = [
    path("", exports.export, name="export"),
    path("columns/", exports.columns, name="columns"),
]
record_pages = [
    path("<uuid:code>/", records.client, name="client"),
]
erasure_pages = [
    path("", erasures.listing, name="list"),
    path("file/", erasures.as_file, name="file"),
    path("clients/<uuid:code>/", erasures.ask, name="ask"),
    path("retention/", erasures.retain, name="retention"),
    path("retention/ask/", erasures.ask_for_all_due, name="ask_for_all_due"),
    path("batches/<uuid:code>/", erasures.batch, name="batch"),
    path("<uuid:code>/", erasures.erasure, name="erasure"),
    path("<uuid:code>/call-off/", erasures.call_off, name="call_off"),
]
caseload_pages = [
    path("", caseload.overview, name="overview"),
    path("figures/", figures.of_supervisees, name="figures"),
    path("clients/<uuid:code>/", caseload.client, name="client"),
    path("clients/<uuid:code>/next/", neighbours.next_of_caseload, name="next_client"),
    path("clients/<uuid:code>/previous/", neighbours.previous_of_caseload, name="previous_client"),
    path("clients/<uuid:code>/late-marks/seen/", late_marks.seen_by_supervisor, name="late_marks_seen"),
    path("clients/<uuid:code>/let-read/", covers.let_read, name="let_read"),
]
supervision_pages = [
    path("", agendas.listing, name="agendas"),
    path("with/<uuid:code>/", agendas.make, name="make_agenda"),
    path("agendas/<uuid:code>/", agendas.agenda, name="agenda"),
    path("agendas/<uuid:code>/fill/", agendas.fill, name="fill_agenda"),
    path("agendas/<uuid:code>/add/", agendas.add, name="add_item"),
    path("items/<uuid:code>/", agendas.change, name="change_item"),
    path("clients/<uuid:code>/ask/", supervision.ask, name="ask"),
    path("clients/<uuid:code>/talked/", supervision.note, name="note"),
    path("questions/<uuid:code>/change/", supervision.change_question, name="change_question"),
    path("questions/<uuid:code>/take-back/", supervision.take_back_question, name="take_back_question"),
    path("questions/<uuid:code>/put-back/", supervision.put_back_question, name="put_back_question"),
    path("questions/<uuid:code>/answer/", supervision.answer, name="answer"),
    path("questions/<uuid:code>/no-answer/", supervision.take_back_answer, name="take_back_answer"),
    path("notes/<uuid:code>/change/", supervision.change_note, name="change_note"),
    path("notes/<uuid:code>/take-back/", supervision.take_back_note, name="take_back_note"),
    path("notes/<uuid:code>/put-back/", supervision.put_back_note, name="put_back_note"),
]
group_pages = [
    path("", groups.listing, name="list"),
    path("new/", groups.make, name="new"),
    path("<uuid:code>/", groups.group, name="group"),
    path("<uuid:code>/people/", groups.people, name="people"),
    path("<uuid:code>/change/", groups.change, name="change"),
    path("<uuid:code>/leaders/", groups.leaders, name="leaders"),
    path("<uuid:code>/add/", groups.add_member, name="add_member"),
    path("<uuid:code>/end/", groups.end, name="end"),
    path("<uuid:code>/take-up/", groups.take_up, name="take_up"),
    path("<uuid:code>/begin/", group_sessions.begin, name="begin"),
    path("members/<uuid:code>/take-out/", groups.take_out, name="take_out"),
    path("members/<uuid:code>/put-back/", groups.put_back, name="put_back"),
    path("sessions/<uuid:code>/", group_sessions.session, name="session"),
    path("sessions/<uuid:code>/attendance/", group_sessions.attendance, name="attendance"),
    path("sessions/<uuid:code>/pass-round/", group_sessions.pass_round, name="pass_round"),
    path("sessions/<uuid:code>/void/", group_sessions.void, name="void"),
    path("sessions/<uuid:code>/put-back/", group_sessions.put_back, name="put_session_back"),
    path("forms/<uuid:code>/give/", group_sessions.give, name="give"),
    path("forms/<uuid:code>/link/", group_sessions.make_link, name="make_link"),
    path("forms/<uuid:code>/send/", group_sessions.send, name="send"),
    path("forms/<uuid:code>/take-back/", group_sessions.take_back, name="take_back"),
]
pass_pages = [path("", passing.next_person, name="next")]
