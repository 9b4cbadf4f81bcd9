/** Makes a topic with partitions (0: without) and gives its name. */
export async function createTopic(webUrl: string, name: string, partitions: number): Promise<string> {
  const path = `${webUrl}/admin/v2/persistent/public/default/${name}${partitions === 0 ? '' : '/partitions'}`;
  const response = await fetch(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    ...(partitions > 0 && { body: String(partitions) }),
  });
  if (!response.ok) throw new Error(`cannot make topic ${name}: ${response.status} ${await response.text()}`);
  return name;
}

/** Cuts all that a topic holds off its storage. */
export async function truncateTopic(webUrl: string, name: string): Promise<void> {
  const response = await fetch(`${webUrl}/admin/v2/persistent/public/default/${name}/truncate`, { method: 'DELETE' });
  if (!response.ok) throw new Error(`cannot truncate topic ${name}: ${response.status} ${await response.text()}`);
}

/** How many messages of a topic, or of one of its partitions, are stored, and where its subscriptions stand. */
export async function storageOf(
  webUrl: string,
  name: string,
): Promise<{
  readonly numberOfEntries: number;
  readonly cursors: Readonly<Record<string, { readonly markDeletePosition: string }>>;
}> {
  const response = await fetch(`${webUrl}/admin/v2/persistent/public/default/${name}/internalStats`);
  if (!response.ok) throw new Error(`cannot read the statistics of ${name}: ${response.status}`);
  return (await response.json()) as Awaited<ReturnType<typeof storageOf>>;
}

/** With the namespace `default`. */
export async function createTenant(webUrl: string, tenant: string): Promise<void> {
  const put = async (path: string, body: object): Promise<void> => {
    const response = await fetch(`${webUrl}/admin/v2/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  await put(`tenants/${tenant}`, { adminRoles: [], allowedClusters: ['standalone'] });
  await put(`namespaces/${tenant}/default`, {});
}
