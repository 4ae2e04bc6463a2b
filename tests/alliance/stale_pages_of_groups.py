"""The pages about groups that write: how each gets stale, or why it cannot."""

from sessions_app.groups import group_actions
from sessions_app.groups import session_actions as group_session_actions
from sessions_app.groups.models import Group, GroupSession
from tests import cast
from tests.alliance.stale_edit import Edit


def a_therapy_group(world):
    world.group = getattr(world, "group", None) or group_actions.make_group(
        name="Group Stale", kind="group", leader=world.olga, co_leader=None, by=world.olga
    )
    return world.group.code


def a_group_session(world):
    a_therapy_group(world)
    member = group_actions.add_member(
        group=world.group, client=cast.episode(world.olga, "Stale 3").client, by=world.olga
    ).member
    world.held = getattr(world, "held", None) or group_session_actions.begin_session(
        group=world.group, held_at=cast.an_hour_ago(), present=[str(member.code)], by=world.olga
    )
    return world.held.code


EDITS_OF_GROUPS = {
    "groups:change": Edit(
        row=a_therapy_group,
        typed={"name": "Mondays"},
        meanwhile=lambda world: group_actions.change_group(
            group=world.group, name="Tuesdays", kind="group", by=world.adam
        ),
        shows=("Name Group Stale Tuesdays Mondays",),
        kept=lambda world: str(Group.objects.get(pk=world.group.pk).name) == "Mondays",
        who="olga",
    ),
    "groups:void": Edit(
        row=a_group_session,
        typed={"why": "Entered twice"},
        meanwhile=lambda world: cast.rating(world.held.attendances.get().session, 380),
        shows=("Ratings 0 1",),
        kept=lambda world: GroupSession.objects.get(pk=world.held.pk).is_voided,
        who="olga",
    ),
}
ACTS_OF_GROUPS = {
    "groups:new": ("adds; its key makes it once", "test_made_twice_by_one_form_it_is_one"),
    "groups:add_member": ("adds once", "test_added_twice_a_client_is_in_it_once"),
    "groups:take_out": ("the same again is nothing", "test_out_and_back_within_minutes_it_is_the_same_"),
    "groups:put_back": ("the same again is nothing", "test_out_and_back_within_minutes_it_is_the_same_"),
    "groups:end": ("the same again is nothing", "test_it_ends_once_and_is_taken_up_once"),
    "groups:take_up": ("the same again is nothing", "test_it_ends_once_and_is_taken_up_once"),
    "groups:begin": ("names who is there", "test_somebody_who_left_meanwhile_is_said"),
    "groups:attendance": (
        "says what it makes of it; the same again is nothing",
        "test_noted_otherwise_and_back",
    ),
    "groups:pass_round": ("its key makes it once", "test_pressed_twice_it_is_one_round_with_the_same_forms"),
    "groups:put_session_back": ("the same again is nothing", "test_with_the_session_of_each_member_and_back"),
    "groups:give": ("its key makes it once", "test_one_members_form_on_each_way"),
    "groups:make_link": ("its key makes it once", "test_one_members_form_on_each_way"),
    "groups:send": ("its key makes it once", "test_one_members_form_on_each_way"),
    "groups:take_back": ("says whether marks came first", "test_a_form_is_taken_back_or_it_is_said_why_not"),
    "groups:leaders": ("carries who it showed", "test_leaders_who_were_named_meanwhile_are_shown_first"),
}
