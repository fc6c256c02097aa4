/** Everything of a tenant stands under this. A tenant's name has no `/`, so no prefix holds another. */
export function tenantPrefix(tenant: string): string {
  return `tenants/${tenant}/`;
}

/** Where a tenant's blob with this content lives. */
export function blobKey(tenant: string, digest: string): string {
  return `${tenantPrefix(tenant)}blobs/${digest}`;
}

/** Where a tenant's graph snapshot with this content lives: kept while a pointer leads to it. */
export function snapshotKey(tenant: string, digest: string): string {
  return `${tenantPrefix(tenant)}graph/${digest}`;
}

/** Where a tenant uploads the source archive with this content. */
export function uploadKey(tenant: string, digest: string): string {
  return `${tenantPrefix(tenant)}uploads/${digest}.tar.gz`;
}

/** Where a task's artifacts stand in the bucket, in the standard layout. */
export function artifactKey(tenant: string, task_id: string, path: string): string {
  return `${tenantPrefix(tenant)}tasks/${task_id}/${path}`;
}

/** Whether a key is this tenant's. Dot segments are nobody's: a proxy on the way might resolve them. */
export function isKeyOf(tenant: string, key: string): boolean {
  return key.startsWith(tenantPrefix(tenant)) && !/(^|\/)\.{1,2}(\/|$)/.test(key);
}
