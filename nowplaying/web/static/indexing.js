// A folder, handed to the server file by file as it asks for them.

import { ask, Problem } from "./api.js";

const $ = (id) => document.getElementById(id);
const limits = document.body.dataset;
const extensions = new Set(limits.extensions.split(" "));
const collator = new Intl.Collator("en", { numeric: true });
let isStopping = false;

const isAudio = (name) => extensions.has(name.slice(name.lastIndexOf(".")).toLowerCase());

/** Return the files of a drop, with their paths within what was dropped. */
export async function filesOfDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ file, name: entry.fullPath.replace(/^\//, "") });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      // A folder comes in parts of a hundred entries.
      const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (part.length === 0) return;
      for (const one of part) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

export const filesOfInput = (input) => [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

/** Index what is audio among some files; returns the server's last state, or null where there was none. */
export async function indexFiles(given) {
  const files = given.filter((one) => isAudio(one.name)).sort((a, b) => collator.compare(a.name, b.name));
  if (files.length === 0) throw new Problem(`There is no audio among ${given.length} files.`, "empty");
  isStopping = false;
  const listed = files.map(({ file, name }) => ({ name, size_bytes: file.size, modified_ms: file.lastModified }));
  const database = $("target-new").checked ? $("new-name").value.trim() : "";
  if ($("target-new").checked && !database) throw new Problem("Give the new database a name.", "name");
  let state = await ask("/api/index", { body: JSON.stringify({ files: listed, database }) });
  $("indexing").hidden = false;
  let name = "";
  while (state.state === "working" || state.state === "waiting") {
    const wanted = files[state.wanted];
    name = wanted?.name ?? name;
    show(state, name);
    if (isStopping) state = await ask("/api/index/stop", { body: "" });
    else if (wanted) state = await ask(`/api/index/${state.wanted}`, { body: wanted.file, name });
    else state = await ask("/api/index"); // a long file: the server answers when it wants the next one, or that it goes on
  }
  return state;
}

/** Stop before the next file. */
export function stopIndexing() {
  isStopping = true;
}

function show(state, name) {
  $("index-progress").max = state.n_total;
  $("index-progress").value = state.n_done;
  const rate = state.times_real_time ? `, ${Math.round(state.times_real_time)} times as fast as played` : "";
  $("index-label").textContent = `${state.n_done} of ${state.n_total} files into ${state.database}${rate}: ${name}`;
}
