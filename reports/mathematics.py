r"""The LaTeX of a statement as MathML, which browsers draw without scripts or fonts from elsewhere.

Only the vocabulary of the catalogue is known, and whatever lies outside it is an error that names it: libraries
that print an unknown `\foo` as an italic word would put a wrong theorem on the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


class UnsupportedMath(ValueError):
    """A formula outside the vocabulary: write the statement with commands the page knows."""


def _table(words: str) -> dict[str, str]:
    """Read 'name sign name sign ...'."""
    parts = words.split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


_LETTERS = _table(
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ pi π rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω ell ℓ"
)
_UPRIGHT = _table(
    "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω infty ∞ partial ∂ nabla ∇ "
    "forall ∀ exists ∃ emptyset ∅ top ⊤ bot ⊥ dagger † star ⋆ ast ∗ prime ′ ldots … dots … cdots ⋯ # # % %"
)
_BINARY = _table(
    "+ + - − * ∗ pm ± mp ∓ cdot ⋅ times × otimes ⊗ oplus ⊕ odot ⊙ circ ∘ cup ∪ cap ∩ setminus ∖ wedge ∧ vee ∨"
)
_RELATIONS = _table(
    "= = < < > > : : le ≤ leq ≤ ge ≥ geq ≥ lt < gt > ne ≠ neq ≠ preceq ⪯ succeq ⪰ prec ≺ succ ≻ ll ≪ gg ≫ lesssim ≲ "
    "gtrsim ≳ sim ∼ simeq ≃ approx ≈ equiv ≡ propto ∝ in ∈ notin ∉ subset ⊂ subseteq ⊆ supseteq ⊇ to → rightarrow → "
    "mapsto ↦ Rightarrow ⇒ implies ⟹ Leftrightarrow ⇔ iff ⟺ mid ∣ perp ⊥ parallel ∥ coloneqq ≔"
)
_OPENING = _table("( ( [ [ { { lbrace { langle ⟨ lfloor ⌊ lceil ⌈ lVert ‖ lvert |")
_CLOSING = _table(") ) ] ] } } rbrace } rangle ⟩ rfloor ⌋ rceil ⌉ rVert ‖ rvert | ! !")
_FENCES = _table("| | Vert ‖ vert | / /")
_DELIMITERS = _OPENING | _CLOSING | _FENCES
_BIG = _table("sum ∑ prod ∏ int ∫ bigcup ⋃ bigcap ⋂ bigoplus ⨁")
_FUNCTIONS = frozenset({"ln", "log", "exp", "sin", "cos", "tan", "arccos", "arcsin", "arctan", "erf", "dim", "ker"})
_LIMIT_FUNCTIONS = frozenset({"Pr", "max", "min", "sup", "inf", "lim", "det"})
_SPACES = {",": 3, ":": 4, ";": 5, "!": -3, " ": 4, "~": 4, "quad": 18, "qquad": 36}
_ACCENTS = _table("bar ¯ tilde ˜ hat ˆ dot ˙ ddot ¨ vec → widetilde ˜ widehat ˆ overline ‾")
_STRETCHY = frozenset({"widetilde", "widehat", "overline"})
_ALPHABETS = {"mathbb": (0x1D538, 0x1D552), "mathcal": (0x1D49C, 0x1D4B6), "mathbf": (0x1D400, 0x1D41A)}
_HOLES = {  # Unicode had these letters before it had the alphabets
    "mathbb": _table("C ℂ H ℍ N ℕ P ℙ Q ℚ R ℝ Z ℤ"),
    "mathcal": _table("B ℬ E ℰ F ℱ H ℋ I ℐ L ℒ M ℳ R ℛ e ℯ g ℊ o ℴ"),
    "mathbf": {},
}
_SIZES = {"big": "1.2em", "Big": "1.8em", "bigg": "2.4em", "Bigg": "3em"}
_SIZED = re.compile(r"\\([bB]igg?)[lrm]?")
_TOKEN = re.compile(
    r"\\(?:text|mathrm)\s*\{[^{}\\$]*\}|\\operatorname\*?\s*\{[^{}\\$]*\}|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|'+|\S"
)
_WORD = re.compile(r"\\(text|mathrm|operatorname)(\*?)\s*\{(.*)\}")


@dataclass(frozen=True, kw_only=True)
class _Atom:
    """One symbol or group with its class in TeX's sense, on which the space around it depends.

    A binary or relation keeps its bare `sign`: whether a minus is a sign or an operation shows only in the row.
    """

    kind: str
    xml: str = ""
    sign: str = ""
    limits: bool = False


def pieces(latex: str) -> tuple[str, ...]:
    r"""Display MathML for a formula, one `<math>` per part between top-level `\quad`s, where a line may break.

    Parameters
    ----------
    latex : one formula, without dollar signs

    Returns
    -------
    pieces : at least one; each a complete `<math>` element without namespace, for use inside HTML

    Raises
    ------
    UnsupportedMath : a command, character or structure outside the vocabulary, or nothing to draw
    """
    reader = _Reader(latex)
    atoms = reader.row(until=None)
    parts: list[list[_Atom]] = [[]]
    for atom in atoms:
        if atom.kind == "quad":
            parts.append([])
        else:
            parts[-1].append(atom)
    drawn = tuple(f'<math displaystyle="true">{_row(part)}</math>' for part in parts if part)
    if not drawn:
        raise UnsupportedMath("formula must not be empty, got nothing to draw")
    return drawn


def for_markdown(latex: str) -> str:
    r"""Equivalent LaTeX that survives Markdown, where `\,` loses its backslash and `<` may open a tag."""
    names = {
        r"\,": r"\thinspace ",
        r"\:": r"\medspace ",
        r"\;": r"\thickspace ",
        r"\!": r"\negthinspace ",
        r"\ ": "~",
        r"\|": r"\Vert ",
        r"\{": r"\lbrace ",
        r"\}": r"\rbrace ",
        "<": r"\lt ",
        ">": r"\gt ",
        "*": r"\ast ",
    }
    return re.sub(r"\\[^A-Za-z]|[<>*]", lambda sign: names.get(sign[0], sign[0]), " ".join(latex.split()))


def _row(atoms: Sequence[_Atom], *, tight: bool = False) -> str:
    """Join atoms with TeX's spaces: thin around functions, none around a sign or inside scripts (`tight`)."""
    parts = []
    before = "nothing"
    for atom in atoms:
        thin = (before in {"ord", "close"} and atom.kind == "op") or (before == "op" and atom.kind in {"ord", "op"})
        if thin and not tight:
            parts.append(_space(3))
        if atom.sign:
            alone = atom.kind == "bin" and before not in {"ord", "close"}
            form = ' form="prefix"' if alone else ""
            spaces = ' lspace="0" rspace="0"' if alone or tight else ""
            parts.append(f"<mo{form}{spaces}>{escape(atom.sign)}</mo>")
        else:
            parts.append(atom.xml)
        before = atom.kind
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _space(eighteenths: int) -> str:
    return f'<mspace width="{eighteenths / 18:.3f}em"></mspace>'


def _fence(sign: str, *, size: str = "") -> str:
    """A delimiter that keeps its size, grows with its content ('grows') or has a fixed size."""
    if size == "grows":
        how = 'stretchy="true"'
    elif size:
        how = f'stretchy="true" minsize="{size}" maxsize="{size}"'
    else:
        how = 'stretchy="false"'
    return f'<mo {how} lspace="0" rspace="0">{escape(sign)}</mo>'


class _Reader:
    """A recursive reader over the tokens of one formula."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.tokens = _TOKEN.findall(latex)
        self.at = 0

    def fault(self, what: str) -> UnsupportedMath:
        return UnsupportedMath(f"{what} in {self.latex!r}")

    def unknown(self, token: str) -> UnsupportedMath:
        kind = "command" if token[0] == "\\" else "character"
        return self.fault(f"unknown {kind} {token}")

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, needed_for: str) -> str:
        token = self.peek()
        if token is None:
            raise self.fault(f"{needed_for} lacks what follows it")
        self.at += 1
        return token

    def row(self, until: str | None) -> list[_Atom]:
        """Atoms up to the closing token, which is consumed; None reads to the end."""
        atoms = []
        while self.peek() != until:
            if self.peek() is None:
                raise self.fault(f"missing {until}")
            atoms.append(self.scripted())
        self.at += until is not None
        return atoms

    def scripted(self) -> _Atom:
        """One atom with its primes, subscript and superscript."""
        base = self.nucleus()
        scripts: dict[str, str] = {}
        primes = ""
        while (token := self.peek()) is not None and (token in {"^", "_"} or token[0] == "'"):
            self.at += 1
            if token[0] == "'":
                primes += "′" * len(token)
            elif token in scripts:
                raise self.fault(f"double {token}")
            else:
                scripts[token] = self.argument(token, tight=True)
        if primes:
            scripts["^"] = f"<mrow><mo>{primes}</mo>{scripts.get('^', '')}</mrow>"
        if not scripts:
            return base
        order = [mark for mark in "_^" if mark in scripts]
        names = {"_": "under", "^": "over"} if base.limits else {"_": "sub", "^": "sup"}
        tag = "m" + "".join(names[mark] for mark in order)
        xml = _row([base]) + "".join(scripts[mark] for mark in order)
        return _Atom(kind=base.kind, xml=f"<{tag}>{xml}</{tag}>")

    def argument(self, owner: str, *, tight: bool = False) -> str:
        """What a command or script mark applies to: a group or a single token."""
        if self.peek() in {"}", "^", "_", "&"}:
            raise self.fault(f"{owner} lacks its argument")
        if self.peek() == "{":
            self.at += 1
            return _row(self.row("}"), tight=tight)
        return _row([self.nucleus(owner)], tight=tight)

    def nucleus(self, owner: str = "a formula") -> _Atom:
        token = self.take(owner)
        if token == "{":
            return _Atom(kind="ord", xml=_row(self.row("}")))
        if word := _WORD.fullmatch(token):
            return self.word(*word.groups())
        if sized := _SIZED.fullmatch(token):
            return self.delimiter(token, _SIZES[sized[1]])
        if token[0].isdecimal():
            return _Atom(kind="ord", xml=f"<mn>{token}</mn>")
        if token.isascii() and token.isalpha():
            return _Atom(kind="ord", xml=f"<mi>{token}</mi>")
        if token in {",", ";", "."}:
            return _Atom(kind="punct", xml=f'<mo separator="true" lspace="0" rspace="0.167em">{token}</mo>')
        return self.symbol(token) if token[0] != "\\" or not token[1:].isalpha() else self.command(token)

    def word(self, command: str, star: str, body: str) -> _Atom:
        """Upright words: text in a sentence, a name of a function, or roman letters."""
        if command == "text":
            kept = re.sub(r"^\s+|\s+$", "\N{NO-BREAK SPACE}", body)
            return _Atom(kind="text", xml=f"<mtext>{escape(kept)}</mtext>")
        kind = "op" if command == "operatorname" else "ord"
        return _Atom(kind=kind, xml=f'<mi mathvariant="normal">{escape(body)}</mi>', limits=bool(star))

    def symbol(self, token: str) -> _Atom:
        r"""A sign without a name: `+`, `(`, `\,`, `\{`, `\|`."""
        sign = token[-1]
        escaped = len(token) == 2
        if (sign in _SPACES and escaped) or token == "~":
            return _Atom(kind="space", xml=_space(_SPACES[sign]))
        if token == r"\|":
            return self.named("Vert", token)
        if escaped != (sign in "{}#%"):
            raise self.unknown(token)
        return self.named(sign, token)

    def command(self, token: str) -> _Atom:
        name = token[1:]
        if name in {"frac", "tfrac", "dfrac"}:
            return _Atom(kind="ord", xml=f"<mfrac>{self.argument(token)}{self.argument(token)}</mfrac>")
        if name == "sqrt":
            return _Atom(kind="ord", xml=f"<msqrt>{self.argument(token)}</msqrt>")
        if name == "left":
            return self.grown()
        if name in _ACCENTS:
            stretchy = "true" if name in _STRETCHY else "false"
            mark = f'<mo stretchy="{stretchy}">{_ACCENTS[name]}</mo>'
            return _Atom(kind="ord", xml=f'<mover accent="true">{self.argument(token)}{mark}</mover>')
        if name in _ALPHABETS:
            return self.lettered(name)
        return self.named(name, token)

    def grown(self) -> _Atom:
        r"""`\left( ... \right)`: delimiters as tall as what they hold."""
        opening = self.delimiter(r"\left", "grows")
        inside = _row(self.row(r"\right"))
        closing = self.delimiter(r"\right", "grows")
        return _Atom(kind="ord", xml=f"<mrow>{opening.xml}{inside}{closing.xml}</mrow>")

    def delimiter(self, owner: str, size: str) -> _Atom:
        token = self.take(owner)
        name = "Vert" if token == r"\|" else token.removeprefix("\\")
        if name == ".":
            return _Atom(kind="ord", xml="<mrow></mrow>")
        if name not in _DELIMITERS or (name in "{}" and token == name):
            raise self.fault(f"{owner} needs a delimiter, got {token}")
        kind = "open" if name in _OPENING else "close" if name in _CLOSING else "ord"
        return _Atom(kind=kind, xml=_fence(_DELIMITERS[name], size=size))

    def lettered(self, alphabet: str) -> _Atom:
        r"""Letters of another alphabet: `\mathbb{E}`."""
        letters = self.take("\\" + alphabet)
        if letters == "{":
            inside = []
            while (letter := self.take("\\" + alphabet)) != "}":
                inside.append(letter)
            letters = "".join(inside)
        if not (letters.isascii() and letters.isalpha()):
            raise self.fault(f"\\{alphabet} needs letters, got {letters}")
        capital, small = _ALPHABETS[alphabet]
        drawn = (
            _HOLES[alphabet].get(x) or chr(capital + ord(x) - ord("A") if x.isupper() else small + ord(x) - ord("a"))
            for x in letters
        )
        return _Atom(kind="ord", xml=f"<mi>{''.join(drawn)}</mi>")

    def named(self, name: str, token: str) -> _Atom:
        """A symbol that stands for itself."""
        if name in _BINARY:
            return _Atom(kind="bin", sign=_BINARY[name])
        if name in _RELATIONS:
            return _Atom(kind="rel", sign=_RELATIONS[name])
        if name in _LETTERS:
            return _Atom(kind="ord", xml=f"<mi>{_LETTERS[name]}</mi>")
        if name in _UPRIGHT:
            return _Atom(kind="ord", xml=f'<mi mathvariant="normal">{_UPRIGHT[name]}</mi>')
        if name in _DELIMITERS:
            kind = "open" if name in _OPENING else "close" if name in _CLOSING else "ord"
            return _Atom(kind=kind, xml=_fence(_DELIMITERS[name]))
        if name in _BIG:
            limits = name != "int"
            return _Atom(kind="op", xml=f'<mo movablelimits="false" rspace="0">{_BIG[name]}</mo>', limits=limits)
        if name in _FUNCTIONS or name in _LIMIT_FUNCTIONS:
            xml = f'<mi mathvariant="normal">{name}</mi>'
            return _Atom(kind="op", xml=xml, limits=name in _LIMIT_FUNCTIONS)
        if name in {"quad", "qquad"}:
            return _Atom(kind="quad", xml=_space(_SPACES[name]))
        raise self.unknown(token)
