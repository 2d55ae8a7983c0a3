"""What a hospital's mixed bag of files, bundles, machines and accidents does to the product.

``cases_*`` with ``test_cases`` are the 65 numbered bad inputs as one table; ``mutations*`` more of them, made by
changing real and synthetic files; the other tests are named after what goes wrong.
"""
