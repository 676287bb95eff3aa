"""Questions that a run asks a person: asked by the graph, answered by people, read by the graph again."""
