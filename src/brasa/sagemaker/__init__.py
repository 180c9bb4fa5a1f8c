"""The contract of Amazon SageMaker's training and inference containers, kept by brasa.

Below a folder, ``/opt/ml`` or ``SAGEMAKER_BASE_DIR``, a job finds its hyperparameters, its channels
and its machine, and leaves its artifacts, its checkpoints or the reason why there are none.
"""
