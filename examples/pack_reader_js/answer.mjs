// node answer.mjs DATABASE QUERIES.json: answers the queries of a JSON file, one JSON object a line.
//
// QUERIES.json: {"embedding_space", "hop_s", "acceptance", "queries": [[row, ...], ...], "options": {...}}; without options the
// defaults. Titles come from songs.sqlite where node has node:sqlite (22 and newer), else they are null, and of several copies of
// a recording the first is named.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { match } from './match.mjs';
import { Pack } from './pack.mjs';

const [folder, file] = process.argv.slice(2);
const given = JSON.parse(readFileSync(file, 'utf8'));
const pack = new Pack(folder, given.embedding_space);
pack.tags = await tags(pack);
for (const query of given.queries) {
  const rows = query.map((row) => Float32Array.from(row));
  const found = match(pack, rows, given.hop_s, given.acceptance, given.options);
  process.stdout.write(`${JSON.stringify(found && { ...found, title: pack.tags?.(found.song).title ?? null })}\n`);
}

async function tags({ folder: path, manifest }) {
  try {
    const { DatabaseSync } = await import('node:sqlite');
    const songs = new DatabaseSync(join(path, manifest.files.songs.name), { readOnly: true });
    const statement = songs.prepare('SELECT title, artist, album, source, external_ids FROM songs WHERE song_index = ?');
    return (song) => statement.get(song);
  } catch {
    return null;
  }
}
