// What the server knows, kept current by one stream, and the one way to do something.

const HEADERS = { "Content-Type": "application/json", "X-Playground": "1" };
const MOST_CALLS = 200;
const REMEMBERED = "playground.me";

class Store {
  constructor() {
    this.state = {};
    this.me = null;
    this.connected = false;
    this.listeners = new Set();
    this.source = null;
  }

  // Calls fn(state, changed) after one of these sections changed; gives back what ends it.
  subscribe(sections, fn) {
    const listener = { sections: sections ? new Set(sections) : null, fn };
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // Becomes somebody else; done when their first full state is there.
  become(userId) {
    this.source?.close();
    try {
      localStorage.setItem(REMEMBERED, userId);
    } catch {
      // a browser that keeps nothing begins as the first person
    }
    return new Promise((resolve, reject) => this.#listen(userId, resolve, reject));
  }

  // Does something as the person at the page. Rejects with Error(sentence) where it can't be done.
  async act(kind, args = {}) {
    const body = JSON.stringify({ as: this.me?.id ?? "", kind, args });
    let response;
    try {
      response = await fetch("/api/act", { method: "POST", headers: HEADERS, body });
    } catch {
      throw new Error("The playground does not answer. Is it still running?");
    }
    const result = await response.json().catch(() => ({ ok: false, error: "The playground gave no answer." }));
    if (!result.ok) throw new Error(result.error);
    return result;
  }

  #listen(userId, resolve, reject) {
    const source = new EventSource(`/api/stream?as=${encodeURIComponent(userId)}`);
    this.source = source;
    source.addEventListener("state", (event) => {
      this.#take(JSON.parse(event.data));
      this.#connected(true);
      resolve(this);
    });
    source.addEventListener("change", (event) => this.#take(merged(this.state, JSON.parse(event.data))));
    source.addEventListener("error", () => {
      if (this.source !== source) return;
      this.#connected(false);
      if (source.readyState === EventSource.CLOSED) reject(new Error("There is nobody with this id."));
    });
  }

  #connected(now) {
    if (this.connected === now) return;
    this.connected = now;
    this.#tell(new Set(["connected"]));
  }

  #take(sections) {
    Object.assign(this.state, sections);
    if (sections.me) this.me = sections.me;
    this.#tell(new Set(Object.keys(sections)));
  }

  #tell(changed) {
    for (const { sections, fn } of [...this.listeners]) {
      if (!sections || [...changed].some((name) => sections.has(name))) fn(this.state, changed);
    }
  }
}

// A change holds of the messages only the channels, and of the journal only the calls, that are new or not as before.
function merged(state, change) {
  if (change.messages) change.messages = { ...state.messages, ...change.messages };
  if (change.journal) {
    const calls = new Map(state.journal.map((call) => [call.n, call]));
    for (const call of change.journal) calls.set(call.n, call);
    change.journal = [...calls.values()].sort((one, other) => one.n - other.n).slice(-MOST_CALLS);
  }
  return change;
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}

export async function connect() {
  const store = new Store();
  try {
    return await store.become(remembered());
  } catch {
    return store.become(""); // who was remembered is not there any more
  }
}
