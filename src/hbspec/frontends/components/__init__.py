"""Components of torchtune's configurations: mappings that name a Python object (`_component_`) and its arguments."""
