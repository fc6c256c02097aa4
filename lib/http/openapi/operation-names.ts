/** `/artifacts/{task}/{path+}` as OpenAPI writes it. */
export function pathOf(template: string): string {
  return template.replace(/\{(\w+)\+\}/g, "{$1}");
}

/** `POST /api/tasks/{id}/cancel` → `post_tasks_id_cancel`. */
export function operationId(key: string): string {
  return key
    .toLowerCase()
    .replace(/^(\w+) \/(?:api\/)?/, "$1_")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/_$/, "");
}
