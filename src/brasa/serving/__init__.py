"""Models behind HTTP: Amazon SageMaker's endpoints, OpenAI's embeddings, and brasa's own questions.

`options` is what the server may do, `process` runs it, `app` takes requests and finds their route,
the other modules answer them.
"""
