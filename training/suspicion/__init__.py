"""The model behind ``TwoStageSegLib.review.suspicion``: collect slices, fit on validation cases, measure on test."""
