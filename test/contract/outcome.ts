/** "done", or the name of the service's error: what a request came to that may be refused. */
export async function outcome(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return "done";
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    return error.name;
  }
}
