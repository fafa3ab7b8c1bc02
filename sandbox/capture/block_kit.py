"""Slack's Block Kit, as far as this project sends it, with the limits that Slack enforces."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_BLOCKS = 50
MOST_BUTTONS = 25
MOST_CONTEXT_ELEMENTS = 10
MOST_FIELDS = 10

_Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Content = Annotated[str, StringConstraints(min_length=1, max_length=3000)]


class _Part(BaseModel):
    # Slack refuses a block with a property it does not know.
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlainText(_Part):
    """Text without formatting or mentions."""

    type: Literal["plain_text"]
    text: _Content
    emoji: bool = True


class Mrkdwn(_Part):
    """Text with Slack's formatting."""

    type: Literal["mrkdwn"]
    text: _Content
    verbatim: bool = False


Text = Annotated[PlainText | Mrkdwn, Field(discriminator="type")]


def _short(longest: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=longest)


class _HeaderText(PlainText):
    text: Annotated[str, _short(150)]


class _ButtonText(PlainText):
    text: Annotated[str, _short(75)]


class _PlainField(PlainText):
    text: Annotated[str, _short(2000)]


class _MrkdwnField(Mrkdwn):
    text: Annotated[str, _short(2000)]


class Button(_Part):
    """A button; this project's only open a page."""

    type: Literal["button"]
    text: _ButtonText
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=3000)] = ""
    action_id: _Id | None = None
    value: Annotated[str, StringConstraints(max_length=2000)] = ""
    style: Literal["primary", "danger"] | None = None
    accessibility_label: Annotated[str, StringConstraints(max_length=75)] = ""


class Header(_Part):
    """A heading."""

    type: Literal["header"]
    text: _HeaderText
    block_id: _Id | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """None: a header is a message's title."""
        return ()


class Section(_Part):
    """A text, fields in two columns, or both; and a button beside them."""

    type: Literal["section"]
    text: Text | None = None
    fields: Annotated[
        tuple[Annotated[_PlainField | _MrkdwnField, Field(discriminator="type")], ...],
        Field(min_length=1, max_length=MOST_FIELDS),
    ] = ()
    accessory: Button | None = None
    expand: bool = False
    block_id: _Id | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The text and the fields."""
        return tuple(part.text for part in (self.text, *self.fields) if part)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.texts:
            raise ValueError("a section needs text or fields")
        return self


class Context(_Part):
    """Small print."""

    type: Literal["context"]
    elements: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_CONTEXT_ELEMENTS)]
    block_id: _Id | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The elements."""
        return tuple(element.text for element in self.elements)


class Actions(_Part):
    """Buttons in a row."""

    type: Literal["actions"]
    elements: Annotated[tuple[Button, ...], Field(min_length=1, max_length=MOST_BUTTONS)]
    block_id: _Id | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """What the buttons are called and where they lead."""
        return tuple(f"{button.text.text}: {button.url}" for button in self.elements)

    @model_validator(mode="after")
    def _names_are_its_own(self) -> Self:
        names = [button.action_id for button in self.elements if button.action_id]
        if len(names) != len(set(names)):
            raise ValueError("an action_id is there twice")
        return self


class Divider(_Part):
    """A line."""

    type: Literal["divider"]
    block_id: _Id | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """None."""
        return ()


Block = Annotated[
    Header | Section | Context | Actions | Divider,
    Field(discriminator="type"),
]
Blocks = Annotated[tuple[Block, ...], Field(max_length=MOST_BLOCKS)]
