"""Claims by question, and for which systems they hold, in words."""

import pandas as pd

from nodeflow.judge.claims import judge_claims
from nodeflow.judge.topics import TOPICS, in_words, topic_of
from tests.unit.test_judge_claims import SIZES, planted

VERDICTS = {"holds": "confirmed", "open": "open", "fails": "contradicted"}


def test_every_claim_belongs_to_a_question_and_no_verdict_is_lost() -> None:
    parts = [planted("MM", 20.0), planted("SIS", 1.0)]
    tables = {name: pd.concat([x[name] for x in parts]) for name in parts[0]}
    claims = judge_claims(**tables, **SIZES)
    told = in_words(claims)
    assert set(told["topic"]) <= set(TOPICS), "a claim without a question: see TOPICS"
    assert told["topic"].nunique() >= 7
    assert list(told["claim"].map(topic_of)) == list(told["topic"])
    assert sorted(told["claim"]) == sorted(claims["claim"].unique())
    for row in told.to_dict("records"):
        mine = claims[claims["claim"] == row["claim"]]
        for column, verdict in VERDICTS.items():
            for system in ("MM", "SIS"):
                some = mine[(mine["system"] == system) & (mine["verdict"] == verdict)]
                assert (system in row[column]) == bool(len(some))


def test_what_holds_for_a_part_of_the_statistics_is_said_of_that_part() -> None:
    told = in_words(
        pd.DataFrame(
            {
                "claim": "fixed points are displaced",
                "system": ["MM", "MM", "ND", "ND"],
                "statistic": ["displacement, γ = 2.1", "displacement, γ = 3.9"] * 2,
                "verdict": ["confirmed", "open", "confirmed", "confirmed"],
            }
        )
    )
    [row] = told.to_dict("records")
    assert row["holds"] == "MM (γ = 2.1), ND"
    assert row["open"] == "MM (γ = 3.9)"
    assert row["fails"] == ""


def test_a_claim_of_no_question_is_not_left_out() -> None:
    assert topic_of("laws hold") == "Other claims"
