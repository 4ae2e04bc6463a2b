"""What staff enter about the tablet of a room."""

from django import forms

from alliance.label_field import LabelFormField
from sessions_app.courses.tablets import PairedTablet


class PairForm(forms.Form):
    pairing_code = forms.CharField(
        label="Code on the tablet",
        max_length=12,
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "size": 10}
        ),
    )
    name = LabelFormField(
        label="Name",
        help_text="Where it stands, such as Room 3. Therapists choose it by this name.",
        max_length=PairedTablet._meta.get_field("name").max_length,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
