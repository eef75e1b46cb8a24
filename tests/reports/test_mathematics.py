from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.mathematics import UnsupportedMath, for_markdown, pieces

THEOREM_3_3 = (
    r"P\left[(1-\varepsilon)(K+\lambda I)\preceq\bar\Psi\bar\Psi^{\top}+\lambda I"
    r"\preceq(1+\varepsilon)(K+\lambda I)\right]\ge 1-\delta\quad\text{once}\quad "
    r"m\ge 3\varepsilon^{-2}s_{\tilde q_\lambda}\ln\frac{16\,s_{\tilde q_\lambda}s_\lambda(K)}{\delta}"
)


def drawn(latex):
    return "".join(pieces(latex))


def text_of(latex):
    return "".join(ElementTree.fromstring(f"<all>{drawn(latex)}</all>").itertext())


def test_theorem_3_3_is_three_wellformed_pieces_with_every_sign():
    parts = pieces(THEOREM_3_3)
    assert len(parts) == 3
    assert text_of(THEOREM_3_3) == "P[(1−ε)(K+λI)⪯Ψ¯Ψ¯⊤+λI⪯(1+ε)(K+λI)]≥1−δoncem≥3ε−2sq˜λln16sq˜λsλ(K)δ"
    root = ElementTree.fromstring(parts[2])
    assert root.tag == "math"
    assert root.get("displaystyle") == "true"
    numerator, denominator = root.find(".//mfrac")
    assert "".join(denominator.itertext()) == "δ"
    assert "".join(numerator.itertext()) == "16sq˜λsλ(K)"


@pytest.mark.parametrize(
    ("latex", "xml"),
    [
        ("x", "<mi>x</mi>"),
        ("2.5", "<mn>2.5</mn>"),
        ("{}", "<mrow></mrow>"),
        ("x^2", "<msup><mi>x</mi><mn>2</mn></msup>"),
        ("x_i", "<msub><mi>x</mi><mi>i</mi></msub>"),
        ("x^2_i", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        ("f'", "<msup><mi>f</mi><mrow><mo>′</mo></mrow></msup>"),
        ("f''^2", "<msup><mi>f</mi><mrow><mo>′′</mo><mn>2</mn></mrow></msup>"),
        (r"\sqrt{x}", "<msqrt><mi>x</mi></msqrt>"),
        (r"\tilde q", '<mover accent="true"><mi>q</mi><mo stretchy="false">˜</mo></mover>'),
        (r"\widetilde{q}", '<mover accent="true"><mi>q</mi><mo stretchy="true">˜</mo></mover>'),
        (r"\mathbb{E}", "<mi>𝔼</mi>"),
        (r"\mathbb R", "<mi>ℝ</mi>"),
        (r"\mathcal{N}", "<mi>𝒩</mi>"),
        (r"\mathbf{a}", "<mi>𝐚</mi>"),
        (r"\mathrm{cts}", '<mi mathvariant="normal">cts</mi>'),
        (r"\text{a < b}", "<mtext>a &lt; b</mtext>"),
        (r"\text{ if }", "<mtext>\N{NO-BREAK SPACE}if\N{NO-BREAK SPACE}</mtext>"),
        (r"\Psi", '<mi mathvariant="normal">Ψ</mi>'),
        ("<", "<mo>&lt;</mo>"),
        (",", '<mo separator="true" lspace="0" rspace="0.167em">,</mo>'),
        (r"\|", '<mo stretchy="false" lspace="0" rspace="0">‖</mo>'),
        (r"\{", '<mo stretchy="false" lspace="0" rspace="0">{</mo>'),
        (r"\bigl(", '<mo stretchy="true" minsize="1.2em" maxsize="1.2em" lspace="0" rspace="0">(</mo>'),
        (
            r"\sum_{i=1}^n",
            '<munderover><mo movablelimits="false" rspace="0">∑</mo><mrow><mi>i</mi><mo lspace="0" rspace="0">=</mo>'
            "<mn>1</mn></mrow><mi>n</mi></munderover>",
        ),
        (
            r"\int_0^1",
            '<msubsup><mo movablelimits="false" rspace="0">∫</mo><mn>0</mn><mn>1</mn></msubsup>',
        ),
        (r"\max_i", '<munder><mi mathvariant="normal">max</mi><mi>i</mi></munder>'),
        (r"\operatorname{tr}^2", '<msup><mi mathvariant="normal">tr</mi><mn>2</mn></msup>'),
        (r"\operatorname*{argmin}_x", '<munder><mi mathvariant="normal">argmin</mi><mi>x</mi></munder>'),
        (
            r"\left\|x\right.",
            '<mrow><mo stretchy="true" lspace="0" rspace="0">‖</mo><mi>x</mi><mrow></mrow></mrow>',
        ),
    ],
)
def test_each_construction(latex, xml):
    assert pieces(latex) == (f'<math displaystyle="true">{xml}</math>',)


def test_a_minus_is_a_sign_or_an_operation_by_its_place():
    assert 'form="prefix"' not in drawn("a-b")
    for sign in ("-b", "(-b)", "a=-b", "a,-b", r"a\cdot-b"):
        assert drawn(sign).count('form="prefix"') == 1
    assert '<mo lspace="0" rspace="0">−</mo>' in drawn("x^{a-b}")


def test_functions_keep_a_thin_space_from_letters_and_none_from_brackets():
    thin = '<mspace width="0.167em"></mspace>'
    assert drawn(r"2\ln n").count(thin) == 2
    assert drawn(r"\ln\ln n").count(thin) == 2
    assert thin not in drawn(r"\ln(n)")
    assert thin not in drawn(r"x^{\ln n}")


def test_spaces_and_quads_inside_a_group():
    assert drawn(r"a\,b\ c~d\!e").count("<mspace") == 4
    assert len(pieces(r"{a\quad b}\qquad c")) == 2
    assert '<mspace width="1.000em">' in drawn(r"{a\quad b}")


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\foo x", r"unknown command \foo"),
        (r"\begin{pmatrix}", r"unknown command \begin"),
        (r"\href{x}{y}", r"unknown command \href"),
        (r"a \\ b", r"unknown command \\"),
        (r"\@", r"unknown command \@"),
        (r"\+", r"unknown command \+"),
        ("a & b", "unknown character &"),
        ("$x$", "unknown character $"),
        ("λ", "unknown character λ"),
        ("50%", "unknown character %"),
        ("x}", "unknown character }"),
        ("{x", "missing }"),
        (r"\left(x", r"missing \right"),
        (r"x\right)", r"unknown command \right"),
        (r"\left x\right)", r"\left needs a delimiter, got x"),
        (r"\left{x\right)", r"\left needs a delimiter, got {"),
        ("x^", "^ lacks what follows it"),
        ("{x^}", "^ lacks its argument"),
        ("x^2^3", "double ^"),
        (r"\frac12", r"\frac lacks what follows it"),  # TeX reads 1 over 2; refused rather than drawn as 12
        (r"\frac{1}", r"\frac lacks what follows it"),
        (r"\mathbb", r"\mathbb lacks what follows it"),
        (r"\mathbb{E", r"\mathbb lacks what follows it"),
        (r"\mathbb{1}", r"\mathbb needs letters, got 1"),
        (r"\text{a\b}", r"unknown command \text"),
        ("", "formula must not be empty"),
        (r"\quad", "formula must not be empty"),
    ],
)
def test_what_lies_outside_the_vocabulary_is_an_error_that_names_it(latex, reason):
    with pytest.raises(UnsupportedMath) as caught:
        pieces(latex)
    assert reason in str(caught.value)


def test_every_command_in_the_tables_is_drawn():
    from reports import mathematics as m

    names = [*m._LETTERS, *m._UPRIGHT, *m._BINARY, *m._RELATIONS, *m._BIG, *m._FUNCTIONS, *m._LIMIT_FUNCTIONS]
    for name in [n for n in names if n.isalpha()]:
        assert "\\" not in drawn(f"\\{name} x")


@given(st.text(alphabet=r"ab12^_{}()[]|+-=<>,.' \\&$\"", max_size=12))
def test_any_text_is_wellformed_mathml_or_refused(latex):
    try:
        parts = pieces(latex)
    except UnsupportedMath:
        return
    for part in parts:
        ElementTree.fromstring(part)


def test_latex_for_markdown_has_no_punctuation_command_and_no_tag():
    assert for_markdown("a\\,b\n\\|x\\| < \\{1\\} * \\;\\%") == (
        r"a\thinspace b \Vert x\Vert  \lt  \lbrace 1\rbrace  \ast  \thickspace \%"
    )
