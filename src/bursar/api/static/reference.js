// Opens Scalar on our own document. Nothing is asked of anybody else, and nothing is kept.
// What may be left out of a request is shown with its example, and sent only when it is ticked.
const leaveOut = (parameter) => {
  if (parameter.required || parameter.$ref) return;
  const value = parameter.example ?? parameter.schema.examples?.[0] ?? parameter.schema.default;
  delete parameter.example;
  parameter.examples = { default: { value: value ?? "", "x-disabled": true } };
};

const open = (described) => {
  Object.values(described.components.parameters).forEach(leaveOut);
  for (const methods of Object.values(described.paths)) {
    for (const operation of Object.values(methods)) operation.parameters?.forEach(leaveOut);
  }
  Scalar.createApiReference("#explorer", {
    content: described,
    servers: [{ url: location.origin }],
    authentication: { preferredSecurityScheme: ["accessToken", "organization"] },
    persistAuth: false,
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: "never",
    documentDownloadType: "none",
  });
};

fetch("/docs/json").then((answer) => answer.json()).then(open);
