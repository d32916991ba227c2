"""One expectation of every type that can be run, with arguments that hold on the payments table and that fail on it."""

from __future__ import annotations

from typing import Any

EVERY_COLUMN = [
    "payment_id",
    "amount_gbp",
    "channel",
    "age",
    "device_age_days",
    "a",
    "b",
    "also_a",
    "opened",
    "score",
    "day",
]
AMOUNT = {"column": "amount_gbp"}
CHANNEL = {"column": "channel"}
ID = {"column": "payment_id"}
CHANNELS = {"value_set": ["web", "app", "phone"]}
SHARES = {"values": ["app", "phone", "web"], "weights": [0.333, 0.333, 0.334]}
SKEWED = {"values": ["app", "phone", "web"], "weights": [0.8, 0.1, 0.1]}

Arguments = dict[str, Any]

EXAMPLES: dict[str, tuple[Arguments, Arguments]] = {
    "expect_column_distinct_values_to_be_in_set": (CHANNEL | CHANNELS, CHANNEL | {"value_set": ["web"]}),
    "expect_column_distinct_values_to_contain_set": (
        CHANNEL | {"value_set": ["web"]},
        CHANNEL | {"value_set": ["post"]},
    ),
    "expect_column_distinct_values_to_equal_set": (CHANNEL | CHANNELS, CHANNEL | {"value_set": ["web"]}),
    "expect_column_kl_divergence_to_be_less_than": (
        CHANNEL | {"partition_object": SHARES, "threshold": 0.1},
        CHANNEL | {"partition_object": SKEWED, "threshold": 0.1},
    ),
    "expect_column_max_to_be_between": (AMOUNT | {"max_value": 100}, AMOUNT | {"max_value": 50}),
    "expect_column_mean_to_be_between": (AMOUNT | {"min_value": 40, "max_value": 60}, AMOUNT | {"max_value": 40}),
    "expect_column_median_to_be_between": (AMOUNT | {"min_value": 40, "max_value": 60}, AMOUNT | {"max_value": 40}),
    "expect_column_min_to_be_between": (AMOUNT | {"min_value": 0}, AMOUNT | {"min_value": 1}),
    "expect_column_most_common_value_to_be_in_set": (
        CHANNEL | {"value_set": ["web"]},
        CHANNEL | {"value_set": ["app"]},
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        {"column_A": "b", "column_B": "a"},
        {"column_A": "a", "column_B": "b"},
    ),
    "expect_column_pair_values_to_be_equal": (
        {"column_A": "a", "column_B": "also_a"},
        {"column_A": "a", "column_B": "b"},
    ),
    "expect_column_pair_values_to_be_in_set": (
        {"column_A": "channel", "column_B": "channel", "value_pairs_set": [[x, x] for x in CHANNELS["value_set"]]},
        {"column_A": "channel", "column_B": "channel", "value_pairs_set": [["web", "web"]]},
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": (
        {"column": "device_age_days", "min_value": 0.9},
        {"column": "device_age_days", "min_value": 0.95},
    ),
    "expect_column_proportion_of_unique_values_to_be_between": (
        ID | {"min_value": 1},
        CHANNEL | {"min_value": 0.5},
    ),
    "expect_column_quantile_values_to_be_between": (
        AMOUNT | {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[40, 60]]}},
        AMOUNT | {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 10]]}},
    ),
    "expect_column_stdev_to_be_between": (AMOUNT | {"max_value": 40}, AMOUNT | {"max_value": 10}),
    "expect_column_sum_to_be_between": (AMOUNT | {"min_value": 1}, AMOUNT | {"max_value": 1}),
    "expect_column_to_exist": (AMOUNT, {"column": "amount"}),
    "expect_column_unique_value_count_to_be_between": (CHANNEL | {"max_value": 3}, CHANNEL | {"max_value": 2}),
    "expect_column_value_lengths_to_be_between": (CHANNEL | {"max_value": 5}, CHANNEL | {"max_value": 3}),
    "expect_column_value_lengths_to_equal": ({**CHANNEL, "value": 3, "mostly": 0.5}, CHANNEL | {"value": 3}),
    "expect_column_value_z_scores_to_be_less_than": (
        AMOUNT | {"threshold": 3, "double_sided": True},
        AMOUNT | {"threshold": 0.5, "double_sided": True},
    ),
    "expect_column_values_to_be_between": (AMOUNT | {"min_value": 0}, AMOUNT | {"max_value": 50}),
    "expect_column_values_to_be_in_set": (CHANNEL | CHANNELS, CHANNEL | {"value_set": ["web"]}),
    "expect_column_values_to_be_null": ({"column": "device_age_days", "mostly": 0.1}, {"column": "device_age_days"}),
    "expect_column_values_to_be_unique": (ID, CHANNEL),
    "expect_column_values_to_match_like_pattern": (ID | {"like_pattern": "p%"}, ID | {"like_pattern": "q%"}),
    "expect_column_values_to_match_like_pattern_list": (
        ID | {"like_pattern_list": ["p%", "q%"]},
        ID | {"like_pattern_list": ["p%", "q%"], "match_on": "all"},
    ),
    "expect_column_values_to_match_regex": (ID | {"regex": r"^p\d+$"}, ID | {"regex": r"^\d"}),
    "expect_column_values_to_match_regex_list": (
        ID | {"regex_list": ["^p", "^q"]},
        ID | {"regex_list": ["^p", "^q"], "match_on": "all"},
    ),
    "expect_column_values_to_not_be_in_set": (CHANNEL | {"value_set": ["post"]}, CHANNEL | {"value_set": ["web"]}),
    "expect_column_values_to_not_be_null": (AMOUNT, {"column": "device_age_days"}),
    "expect_column_values_to_not_match_like_pattern": (ID | {"like_pattern": "q%"}, ID | {"like_pattern": "p%"}),
    "expect_column_values_to_not_match_like_pattern_list": (
        ID | {"like_pattern_list": ["q%", "r%"]},
        ID | {"like_pattern_list": ["q%", "p%"]},
    ),
    "expect_column_values_to_not_match_regex": (ID | {"regex": "^q"}, ID | {"regex": "^p"}),
    "expect_column_values_to_not_match_regex_list": (
        ID | {"regex_list": ["^q", "^r"]},
        ID | {"regex_list": ["^q", "^p"]},
    ),
    "expect_compound_columns_to_be_unique": (
        {"column_list": ["payment_id", "channel"]},
        {"column_list": ["channel", "age"]},
    ),
    "expect_multicolumn_sum_to_equal": (
        {"column_list": ["a", "also_a"], "sum_total": 0, "mostly": 0.001},
        {"column_list": ["a", "also_a"], "sum_total": 0},
    ),
    "expect_multicolumn_values_to_be_equal": (
        {"column_list": ["a", "also_a"]},
        {"column_list": ["a", "b"]},
    ),
    "expect_select_column_values_to_be_unique_within_record": (
        {"column_list": ["a", "b"]},
        {"column_list": ["a", "also_a"]},
    ),
    "expect_table_column_count_to_be_between": ({"max_value": 11}, {"max_value": 10}),
    "expect_table_column_count_to_equal": ({"value": 11}, {"value": 10}),
    "expect_table_columns_to_match_ordered_list": (
        {"column_list": EVERY_COLUMN},
        {"column_list": EVERY_COLUMN[::-1]},
    ),
    "expect_table_columns_to_match_set": (
        {"column_set": ["payment_id"], "exact_match": False},
        {"column_set": ["payment_id"]},
    ),
    "expect_table_row_count_to_be_between": ({"min_value": 1000}, {"min_value": 1001}),
    "expect_table_row_count_to_equal": ({"value": 1000}, {"value": 1001}),
    "unexpected_rows_expectation": (
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE amount_gbp < 0"},
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE amount_gbp > 50"},
    ),
}
