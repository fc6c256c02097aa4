/** Prefix of all of a tenant's objects. A tenant's name has no `/`, so no prefix contains another. */
export function tenantPrefix(tenant: string): string {
  return `tenants/${tenant}/`;
}

/** Key of a tenant's blob with this SHA-256. */
export function blobKey(tenant: string, digest: string): string {
  return `${tenantPrefix(tenant)}blobs/${digest}`;
}

/** Key of a tenant's graph snapshot with this SHA-256. It is kept while a pointer refers to it. */
export function snapshotKey(tenant: string, digest: string): string {
  return `${tenantPrefix(tenant)}graph/${digest}`;
}

/** Key of a tenant's uploaded source archive with this SHA-256. */
export function uploadKey(tenant: string, digest: string): string {
  return `${tenantPrefix(tenant)}uploads/${digest}.tar.gz`;
}

/** Key of a task's artifact in the standard layout. */
export function artifactKey(tenant: string, task_id: string, path: string): string {
  return `${tenantPrefix(tenant)}tasks/${task_id}/${path}`;
}

/** True when a key belongs to this tenant. Keys with dot segments belong to no tenant: a proxy could resolve them. */
export function isKeyOf(tenant: string, key: string): boolean {
  return key.startsWith(tenantPrefix(tenant)) && !/(^|\/)\.{1,2}(\/|$)/.test(key);
}
