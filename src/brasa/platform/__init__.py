"""A SageMaker of one's own: one process on one port that AWS's clients talk to.

Control plane, runtime, logs, identity and object store, with the wire protocols of AWS. Jobs and
endpoints are processes of `brasa.sagemaker`'s container contract.
"""
