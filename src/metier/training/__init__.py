"""Training: fitted heads and the ladder of methods, from the cheapest rung up.

It knows rows of features, class numbers and folds; scikit-learn is known to this unit alone, and
only arrays leave it. It knows no eval, no engine and no file.
"""
