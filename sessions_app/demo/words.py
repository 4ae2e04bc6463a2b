"""What the invented people say. Each line was written for this demo; nobody real said it."""

# line that fell: (what the client said, what we change)
TALKS = {
    "relationship": (
        ("I had the feeling you were looking at the clock.", "The clock stands where both of us see it."),
        ("When I cried you went on talking.", "I wait until you nod before I go on."),
        (
            "You called my brother by the wrong name twice.",
            "I read my line from last time before you come in.",
        ),
        ("I did not feel taken seriously about the job.", "We start next time with the job, from your side."),
        ("It stung when you smiled at what I told you.", "I say aloud what my smile was about; you may ask."),
    ),
    "goals": (
        (
            "We keep talking about sleep, but I came because of the quarrels.",
            "The quarrels come first, then sleep.",
        ),
        (
            "I no longer know what we are working on.",
            "We write the goal on the board and look at it each time.",
        ),
        ("My mother was not what I wanted to talk about.", "You choose the topic in the first five minutes."),
        ("That goal is my husband's, not mine.", "We drop it and look for one of your own."),
        ("It was too much at once today.", "One topic a session; the rest goes on a list."),
    ),
    "approach": (
        ("The exercise felt like being back at school.", "No work sheets unless you ask for one."),
        ("I would rather talk than close my eyes.", "We leave the breathing exercise out."),
        (
            "I cannot do homework in a week with night shifts.",
            "A small task every second week, chosen by you.",
        ),
        ("Too many questions one after the other.", "I ask one and wait."),
        ("The role play embarrassed me.", "We act it out with two chairs, and you say when we stop."),
    ),
    "overall": (
        ("Something was missing, I cannot say what.", "I ask again half-way through the session."),
        ("It was fine, but I left as I had come.", "We end with one thing you take home."),
        ("I was somewhere else with my thoughts today.", "We begin with two quiet minutes."),
        ("A bad week; it was not about you.", "Nothing to change; we look again next time."),
    ),
}
FLAT_TOP = (
    ("It is all right as it is. Perhaps the room is a little cold.", "A blanket and the small heater."),
    ("I would not want to hurt you with a lower mark.", "I say each time that a low mark helps me."),
)
MISSING = (
    ("We ran out of time at the end.", "The tablet comes out five minutes before the end."),
    ("I forgot my glasses.", "Larger lines, or I read them aloud."),
)

PUT_OFF = (
    "Moving house comes first; we look at it next time",
    "Her exam comes first",
    "We agreed to look at it next time",
)
NOT_NEEDED = (
    "The marks were a slip, she said so at the door",
    "He had come straight from the dentist",
    "Known and expected, nothing to change",
)

COMMENTS = (
    "Today I could say it for the first time.",
    "It went a bit fast at the end.",
    "I would like to talk more about my daughter.",
    "Good that we wrote it down.",
    "I was tired.",
    "Thank you for waiting.",
    "Less paper, please.",
    "I did not dare to say that I disagreed.",
    "It helped to draw it.",
    "The new room is better.",
    "I want to decide myself what comes first.",
    "Not sure about the exercise.",
)

STORY_SAID = (
    "The breathing exercises felt like homework. I had come to tell you about the funeral, and I could not."
)
STORY_AGREED = "Ten minutes for whatever is on top, first thing. Exercises only when you ask for one."
STORY_COMMENT = "I did not get to say what I came for."
STORY_COMMENT_AFTER = "You asked me about the funeral right away. That was good."
SECOND_THOUGHT = "I thought about it again outside."
