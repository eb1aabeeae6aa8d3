// Requests to this page's own server, with the token that it gave the page.

const token = document.querySelector("meta[name=token]").content;

/** An answer that is a problem: a message for a person, and a code for the page. */
export class Problem extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** Ask the server; a body makes it a POST. Returns JSON or throws Problem. */
export async function ask(path, { body, name = "", method = body === undefined ? "GET" : "POST" } = {}) {
  const headers = { "x-nowplaying-token": token, "x-name": encodeURIComponent(name.slice(0, 200)) };
  let response;
  try {
    response = await fetch(path, { method, body, headers });
  } catch {
    throw new Problem("The server does not answer. Is it still running in the terminal?", "gone");
  }
  let table;
  try {
    table = await response.json();
  } catch {
    throw new Problem(`The server answered with status ${response.status} and no explanation.`, "odd");
  }
  if (!response.ok) throw new Problem(table.error?.message ?? `status ${response.status}`, table.error?.code ?? "odd");
  return table;
}
