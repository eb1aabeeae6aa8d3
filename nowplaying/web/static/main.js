// What the buttons and the places to drop things do.

import { ask, Problem } from "./api.js";
import { showAnswer, showHistory } from "./answer.js";
import { filesOfDrop, filesOfInput, indexFiles, stopIndexing } from "./indexing.js";
import { decodeToWav, Recorder } from "./sound.js";

const $ = (id) => document.getElementById(id);
const limits = document.body.dataset;
const mostSeconds = Number(limits.mostSeconds);
let recorder = null;

function say(text, problem = "") {
  $("announcement").textContent = "";
  $("state").textContent = text;
  $("problem").hidden = !problem;
  $("problem").textContent = problem;
}

function sayIndex(text, problem = "") {
  $("index-state").textContent = text;
  $("index-problem").hidden = !problem;
  $("index-problem").textContent = problem;
}

function showDatabases({ databases, target }) {
  const text = databases.map((one) => `${one.n_songs} ${one.n_songs === 1 ? "song" : "songs"} in ${one.name}`).join(", ");
  $("databases").textContent = text || `no songs yet: index a folder to make ${target}`;
  $("target").textContent = target;
}

/** Ask for the song in a sound; what the server cannot read, the browser decodes. */
async function recognize(sound, name) {
  say(`Listening to ${name}`);
  try {
    if (sound.size > Number(limits.mostBytes)) {
      throw new Problem(`${name} is larger than ${limits.mostBytes / 1048576} MB; cut a part out of it.`, "too-large");
    }
    let answer;
    try {
      answer = await ask("/api/recognize", { body: sound, name });
    } catch (problem) {
      if (problem.code !== "audio") throw problem;
      const wav = await decodeToWav(sound, mostSeconds).catch(() => null);
      if (wav === null) throw problem;
      answer = await ask("/api/recognize", { body: wav, name });
    }
    const said = showAnswer(answer, sound);
    say("");
    $("announcement").textContent = said; // it is on the page below, but nothing would read it
    showHistory(answer.history);
    $("answer").focus({ preventScroll: true });
    $("answer").scrollIntoView({ block: "nearest" });
  } catch (problem) {
    say("", problem.message);
  }
}

async function record() {
  if (recorder) {
    recorder.end();
    return;
  }
  const button = $("record");
  button.disabled = true;
  try {
    recorder = await Recorder.start((level, seconds) => {
      $("level").value = level;
      $("level").textContent = `${Math.round(level)} dBFS`;
      button.textContent = `Stop (${seconds.toFixed(0)} s)`;
    });
  } catch (error) {
    const refused = error.name === "NotAllowedError" ? "it was not allowed; see the browser's settings of this page" : error.message;
    say("", `The microphone cannot be used: ${refused}.`);
    return;
  } finally {
    button.disabled = false;
  }
  button.setAttribute("aria-pressed", "true");
  say("Recording");
  const sound = await recorder.done;
  recorder = null;
  button.setAttribute("aria-pressed", "false");
  button.textContent = "Record";
  $("level").value = -60;
  try {
    await recognize(await decodeToWav(sound, mostSeconds), "microphone");
  } catch (error) {
    say("", `The recording cannot be decoded: ${error.message}.`);
  }
}

async function index(gather) {
  sayIndex("Looking for audio files");
  $("index-failures").hidden = true;
  $("folder").disabled = true;
  try {
    const state = await indexFiles(await gather());
    if (state.state === "failed") throw new Problem(state.error, "failed");
    sayIndex(`${state.database}: ${state.report.text}.`);
    $("failures").replaceChildren(
      ...state.report.failed.map((reason) => Object.assign(document.createElement("li"), { textContent: reason })),
    );
    $("index-failures").hidden = state.report.n_failed === 0;
  } catch (problem) {
    sayIndex("", problem.message);
  } finally {
    $("indexing").hidden = true;
    $("folder").disabled = false;
    $("folder").value = "";
    await refresh();
  }
}

async function refresh() {
  try {
    const status = await ask("/api/status");
    showDatabases(status);
    showHistory(status.history);
  } catch (problem) {
    say("", problem.message);
  }
}

function dropZone(zone, take) {
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => take(event.dataTransfer));
}

// A file that misses its place must not replace the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
dropZone($("sound-zone"), (transfer) => transfer.files[0] && recognize(transfer.files[0], transfer.files[0].name));
dropZone($("folder-zone"), (transfer) => {
  const files = filesOfDrop(transfer); // entries are there during the event only
  index(() => files);
});
$("record").addEventListener("click", record);
// The same file may be chosen again, as after its song was indexed.
$("sound").addEventListener("click", () => ($("sound").value = ""));
$("sound").addEventListener("change", () => {
  const [file] = $("sound").files;
  if (file) recognize(file, file.name);
});
$("folder").addEventListener("change", () => {
  const files = filesOfInput($("folder"));
  if (files.length) index(() => files);
});
$("new-name").addEventListener("input", () => ($("target-new").checked = true));
$("stop").addEventListener("click", stopIndexing);
$("forget").addEventListener("click", async () => showHistory((await ask("/api/forget", { body: "" })).history));
await refresh();
