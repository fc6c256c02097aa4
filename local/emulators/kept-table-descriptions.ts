type Answer = (error: Error | null, table?: object) => void;
type Done = (error: Error | null) => void;

/** dynalite's store of table descriptions, by the table's name. */
export interface TableDescriptions {
  get(name: string, answer: Answer): void;
  put(name: string, table: object, done: Done): void;
  del(name: string, done: Done): void;
}

/**
 * Keeps the descriptions of tables in memory: dynalite reads one from its files at every request, which takes an eighth
 * of the emulator's time. Each reader gets a copy, because dynalite changes what it reads before it writes it.
 */
export function keepTableDescriptions(store: TableDescriptions): void {
  const kept = new Map<string, string>();
  let writes = 0;
  const forget = (name: string) => {
    writes += 1;
    kept.delete(name);
  };
  const get = store.get.bind(store);
  store.get = (name, answer) => {
    const text = kept.get(name);
    if (text !== undefined) return process.nextTick(() => answer(null, JSON.parse(text)));
    const writes_before = writes;
    get(name, (error, table) => {
      if (!error && table && writes === writes_before) kept.set(name, JSON.stringify(table));
      answer(error, table);
    });
  };
  const put = store.put.bind(store);
  store.put = (name, table, done) => {
    forget(name);
    put(name, table, (error) => {
      forget(name); // what was read meanwhile may be of before
      done(error);
    });
  };
  const del = store.del.bind(store);
  store.del = (name, done) => {
    forget(name);
    del(name, (error) => {
      forget(name);
      done(error);
    });
  };
}
