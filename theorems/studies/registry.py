"""The studies: every one of them, in the order of the report. The only place where a study is registered."""

from __future__ import annotations

from collections.abc import Sequence

from theorems.studies import (
    gauss_newton,
    initialisation,
    leverage_against_plain,
    real_data,
    tightness,
    training_exponents,
    training_paths,
    wide_training,
)
from theorems.studies.study import Study

STUDIES: tuple[Study, ...] = (
    tightness.STUDY,
    leverage_against_plain.STUDY,
    real_data.STUDY,
    training_paths.STUDY,
    wide_training.STUDY,
    training_exponents.STUDY,
    initialisation.STUDY,
    *gauss_newton.STUDIES,
)


class UnknownStudy(LookupError):
    """No study has this id: the message lists those there are."""


def chosen(ids: Sequence[str]) -> tuple[Study, ...]:
    """Give the named studies, each once and in the order of the report; all of them when none is named.

    Raises
    ------
    UnknownStudy : with the candidates
    """
    known = [study.id for study in STUDIES]
    for name in ids:
        if name not in known:
            raise UnknownStudy(f"study {name!r} is unknown; there are: {', '.join(known)}")
    return tuple(study for study in STUDIES if not ids or study.id in ids)
