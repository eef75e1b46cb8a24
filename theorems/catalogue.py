"""Every statement, in the order of its registration; adding one is one file and one line here.

Append only: a statement's position pays for its share of the error budget (`theorems.checking.budget`).
"""

from __future__ import annotations

from theorems.akm17 import (
    corollary_6_statistical_dimension,
    lemma_2_risk,
    lemma_7_matrix_concentration,
    lemma_8_leverage_sampling,
    lemma_14_leverage_as_minimum,
    lemma_15_leverage_as_maximum,
    proposition_4_leverage_bounds,
    proposition_5_integral_of_the_leverage,
    theorem_9_plain_features,
)
from theorems.bpsw import (
    contraction_against_width,
    cost_of_a_step,
    gauss_newton_step,
    halving_as_printed,
    halving_every_step,
    iteration_rates,
    jacobian_structure,
    preconditioner_condition,
    residual_after_a_step,
    sketch_distortion,
    sketch_of_kronecker_rows,
    steps_against_data,
)
from theorems.glss import (
    corollary_in_sample_predictions,
    corollary_new_point,
    corollary_optimal_value,
    corollary_out_of_sample,
    corollary_preconditioner,
    corollary_rank,
    corollary_statistical_dimension,
    definition_3_1_as_printed,
    definition_3_1_ridge_leverage_function,
    definition_3_2_as_printed,
    definition_3_2_modified_random_features,
    definition_3_8_reweighed_network,
    equation_1_kernel_ridge_regression,
    equation_2_spectral_approximation,
    equation_3_random_features,
    equation_4_statistical_dimension,
    equation_6_regularised_loss,
    equation_7_tangent_kernel_ridge_regression,
    equation_8_neural_tangent_kernel,
    equation_9_leverage_density,
    equation_10_as_printed,
    equation_10_reweighed_loss,
    equation_11_whitened_norm,
    equation_12_concentration,
    equation_13_14_as_printed,
    equation_13_14_distance_along_the_flow,
    equation_15_16_test_predictors,
    lemma_4_1_as_printed,
    lemma_4_1_explicit,
    remark_3_4_as_printed,
    remark_3_4_complex_features,
    remark_4_2_as_printed,
    remark_4_2_kernel_shrinkage,
    remark_4_2_several_layers,
    remark_4_2_width,
    section_2_leverage_scores,
    section_3_1_primal_problem,
    section_3_1_running_time,
    section_3_1_woodbury_identity,
    section_3_2_1_optimal_predictors,
    section_3_2_1_two_layer_network,
    section_3_2_2_tangent_features,
    section_4_initialization_kernel,
    section_4_initialization_second_moment,
    section_4_mean_of_a_draw,
    section_4_mean_of_a_draw_as_printed,
    section_4_norm_of_a_draw,
    section_4_norm_of_a_draw_as_printed,
    section_4_outputs_at_the_start,
    section_4_phase_exponents,
    section_4_radial_gauge,
    section_4_second_moment_of_a_draw,
    section_4_step_of_gradient_descent,
    section_4_test_predictors_as_printed,
    section_4_training_flip_counts,
    section_4_training_flips,
    theorem_3_3_kernel_approximation,
    theorem_3_3_operator_norm,
    theorem_3_3_sharpened,
)
from theorems.statement import Statement

CATALOGUE: tuple[Statement, ...] = (
    theorem_3_3_kernel_approximation.STATEMENT,
    section_2_leverage_scores.STATEMENT,
    equation_1_kernel_ridge_regression.STATEMENT,
    section_3_1_primal_problem.STATEMENT,
    equation_2_spectral_approximation.STATEMENT,
    section_3_1_woodbury_identity.STATEMENT,
    section_3_1_running_time.STATEMENT,
    equation_3_random_features.STATEMENT,
    equation_4_statistical_dimension.STATEMENT,
    definition_3_1_ridge_leverage_function.STATEMENT,
    definition_3_1_as_printed.STATEMENT,
    definition_3_2_modified_random_features.STATEMENT,
    definition_3_2_as_printed.STATEMENT,
    theorem_3_3_sharpened.STATEMENT,
    theorem_3_3_operator_norm.STATEMENT,
    remark_3_4_complex_features.STATEMENT,
    remark_3_4_as_printed.STATEMENT,
    equation_11_whitened_norm.STATEMENT,
    section_4_mean_of_a_draw.STATEMENT,
    section_4_mean_of_a_draw_as_printed.STATEMENT,
    section_4_norm_of_a_draw.STATEMENT,
    section_4_norm_of_a_draw_as_printed.STATEMENT,
    section_4_second_moment_of_a_draw.STATEMENT,
    equation_12_concentration.STATEMENT,
    lemma_2_risk.STATEMENT,
    proposition_4_leverage_bounds.STATEMENT,
    proposition_5_integral_of_the_leverage.STATEMENT,
    corollary_6_statistical_dimension.STATEMENT,
    lemma_7_matrix_concentration.STATEMENT,
    lemma_8_leverage_sampling.STATEMENT,
    theorem_9_plain_features.STATEMENT,
    lemma_14_leverage_as_minimum.STATEMENT,
    lemma_15_leverage_as_maximum.STATEMENT,
    corollary_in_sample_predictions.STATEMENT,
    corollary_optimal_value.STATEMENT,
    corollary_preconditioner.STATEMENT,
    corollary_statistical_dimension.STATEMENT,
    corollary_rank.STATEMENT,
    corollary_new_point.STATEMENT,
    corollary_out_of_sample.STATEMENT,
    equation_13_14_distance_along_the_flow.STATEMENT,
    equation_13_14_as_printed.STATEMENT,
    equation_15_16_test_predictors.STATEMENT,
    section_4_test_predictors_as_printed.STATEMENT,
    section_4_step_of_gradient_descent.STATEMENT,
    section_3_2_1_two_layer_network.STATEMENT,
    equation_6_regularised_loss.STATEMENT,
    equation_7_tangent_kernel_ridge_regression.STATEMENT,
    equation_8_neural_tangent_kernel.STATEMENT,
    section_3_2_1_optimal_predictors.STATEMENT,
    section_3_2_2_tangent_features.STATEMENT,
    equation_9_leverage_density.STATEMENT,
    definition_3_8_reweighed_network.STATEMENT,
    equation_10_reweighed_loss.STATEMENT,
    equation_10_as_printed.STATEMENT,
    section_4_initialization_kernel.STATEMENT,
    section_4_initialization_second_moment.STATEMENT,
    section_4_training_flips.STATEMENT,
    section_4_training_flip_counts.STATEMENT,
    section_4_outputs_at_the_start.STATEMENT,
    section_4_radial_gauge.STATEMENT,
    lemma_4_1_explicit.STATEMENT,
    lemma_4_1_as_printed.STATEMENT,
    section_4_phase_exponents.STATEMENT,
    remark_4_2_several_layers.STATEMENT,
    remark_4_2_kernel_shrinkage.STATEMENT,
    remark_4_2_as_printed.STATEMENT,
    *remark_4_2_width.STATEMENTS,
    jacobian_structure.STATEMENT,
    gauss_newton_step.STATEMENT,
    sketch_distortion.STATEMENT,
    sketch_of_kronecker_rows.STATEMENT,
    preconditioner_condition.STATEMENT,
    iteration_rates.STATEMENT,
    residual_after_a_step.STATEMENT,
    halving_every_step.STATEMENT,
    halving_as_printed.STATEMENT,
    contraction_against_width.STATEMENT,
    cost_of_a_step.STATEMENT,
    steps_against_data.STATEMENT,
)


class UnknownStatement(LookupError):
    """No statement, or more than one, answers to this name: the message lists the candidates."""


def find(name: str) -> Statement:
    """Give the statement called `name`: its id, or its number as printed while that is unique.

    Raises
    ------
    UnknownStatement : with the candidates
    """
    matches = [s for s in CATALOGUE if s.id == name] or [
        s for s in CATALOGUE if s.number.strip("()") == name.strip("()")
    ]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(f"{s.id} ({s.number})" for s in matches or CATALOGUE)
    trouble = "is not unique; candidates" if matches else "is unknown; the catalogue has"
    raise UnknownStatement(f"statement {name!r} {trouble}: {known}")


def position(statement: Statement) -> int:
    """Give the statement's place in the catalogue, from 1."""
    return CATALOGUE.index(statement) + 1
