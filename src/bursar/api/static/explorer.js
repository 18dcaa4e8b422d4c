// Opens Swagger UI on our own document. Nothing is asked of anybody else, and nothing is kept.
SwaggerUIBundle({
  url: "/docs/json",
  dom_id: "#explorer",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
