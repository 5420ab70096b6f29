"""What requests may say and what answers hold, as pydantic models: the OpenAPI document's words."""
