// An answer on the page: the song, P(music), the reasons, the alignment; and the songs of this session.

import { alignmentPicture, clock, drawn, probabilityPicture } from "./charts.js";

const $ = (id) => document.getElementById(id);
// No probability is certain, whatever it is rounded to.
const percent = (share) => `${Math.min(99.9, 100 * share).toFixed(1)} %`;
const songName = (song) => [song.title, song.artist].filter(Boolean).join(" - ");

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Show an answer; the sound can be played again. Returns one sentence that says it. */
export function showAnswer(answer, sound) {
  const { recognition } = answer;
  const match = recognition?.match ?? null;
  $("empty").hidden = true;
  $("result").hidden = false;
  $("song").textContent = match ? songName(match) : recognition ? "Unknown" : "No songs are indexed yet";
  $("song-more").textContent = details(answer, match);
  if ($("playback").src) URL.revokeObjectURL($("playback").src);
  $("playback").src = URL.createObjectURL(sound);
  showProbability(answer);
  showWhy(recognition);
  showAlignment(recognition);
  return `${$("song").textContent}. ${$("song-more").textContent}`;
}

/** Say where in the song a recording begins; a twentieth of a second is nothing. */
const place = (offset) => (offset <= -0.05 ? `${clock(-offset)} before the song` : `at ${clock(Math.max(0, offset))} of the song`);

function details(answer, match) {
  const cut = answer.is_cut ? ` Only the first ${Math.round(answer.duration_s / 60)} minutes were used.` : "";
  const { recognition } = answer;
  if (!recognition) return `Index a folder to give it names.${cut}`;
  const time = `${Math.round(recognition.latency_ms)} ms`;
  if (!match) return `No song of the database is sure enough; answered in ${time}.${cut}`;
  const parts = [recognition.track.album, `the recording begins ${place(match.offset_s)}`];
  if (recognition.track.duration_s) parts.push(`which is ${clock(recognition.track.duration_s)} long`);
  return `${parts.filter(Boolean).join(", ")}; ${percent(match.score)} sure, in ${time}.${cut}`;
}

function showProbability(answer) {
  const { segments } = answer.detection;
  const listed = segments.map(([from, to, mean]) => `${clock(from)} to ${clock(to)} (${mean.toFixed(2)})`).join(", ");
  const text = segments.length ? `Music from ${listed}.` : "The detector found no music.";
  const start = answer.recognition?.explanation.query_start_s;
  const looked = start === undefined ? "" : ` Looked up: ${clock(start)} to ${clock(Math.min(start + 8, answer.duration_s))} (frame).`;
  $("probability-text").textContent = `${text}${looked} The dashed line is the detector's threshold.`;
  drawn($("probability"), `Probability of music over ${clock(answer.duration_s)}. ${text}`, (width) => probabilityPicture(answer, width));
}

function showWhy(recognition) {
  $("why").hidden = !recognition;
  if (!recognition) return;
  const { explanation } = recognition;
  const said = explanation.reason;
  $("reason").textContent = `${said[0].toUpperCase()}${said.slice(1)}.`;
  $("reasons").replaceChildren(...explanation.reasons.map((one) => element("li", one.text)));
  $("candidates").replaceChildren(
    ...explanation.candidates.map((one) => {
      const row = document.createElement("tr");
      row.append(element("th", songName(one), { scope: "row" }));
      row.append(element("td", clock(one.offset_s), { class: "number" }), element("td", one.score.toFixed(3), { class: "number" }));
      return row;
    }),
  );
  $("candidates").closest(".scroll").hidden = explanation.candidates.length === 0;
}

function showAlignment(recognition) {
  const alignment = recognition?.alignment;
  $("alignment-figure").hidden = !alignment;
  if (!alignment) return;
  const { steps, n_songs: nSongs, query_start_s: start } = recognition.explanation;
  const wins = steps.filter((one) => one.wins).length;
  const text = `${wins} of ${steps.length} fingerprints are nearer to “${alignment.title}” than to any other of ${nSongs} songs.`;
  $("alignment-text").textContent =
    `${text} Above: time in the song (up) against time in the recording; a strong colour is alike. Below: similarity of each fingerprint.`;
  drawn($("alignment"), `Alignment with ${alignment.title}. ${text}`, (width) => alignmentPicture(alignment, steps, start, width));
}

/** Show the songs of this session, the newest first. */
export function showHistory(history) {
  $("forget").hidden = history.length === 0;
  $("history").replaceChildren(
    ...history.map((entry) => {
      const line = document.createElement("li");
      const said = document.createElement("span");
      const times = entry.song && entry.song.times > 1 ? `, named ${entry.song.times} times` : "";
      said.append(entry.song ? entry.song.name : "Unknown");
      said.append(element("span", entry.song ? `${entry.recording}, ${place(entry.song.offset_s)}${times}` : entry.recording, { class: "soft" }));
      line.append(element("time", entry.clock, { datetime: entry.time }), said);
      return line;
    }),
  );
}
