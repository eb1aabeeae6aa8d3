// node answer.mjs DATABASE QUESTION.json: one line of JSON for each query, null where nothing sounds or is near.
//
// QUESTION.json: {"embedding_space", "hop_s", "acceptance", "queries": [[row, ...], ...], "options": {"probe", "neighbors",
// "candidates", "firstS"}}; a row of zeros is silence, without options the defaults hold.
import { readFileSync } from 'node:fs';
import { Pack } from './pack.mjs';
import { match } from './match.mjs';

try {
  const [folder, file] = process.argv.slice(2);
  if (!file) throw new Error('usage: answer.mjs DATABASE QUESTION.json');
  const pack = await Pack.open(folder);
  const question = JSON.parse(readFileSync(file, 'utf8'));
  if (question.embedding_space != null && question.embedding_space !== pack.space) {
    throw new Error(`the database was made for the encoder ${pack.space}, not ${question.embedding_space}`);
  }
  if (question.queries.some((rows) => rows.some((row) => row && row.length !== pack.dim))) {
    throw new Error(`a row has not ${pack.dim} numbers`);
  }
  for (const rows of question.queries) {
    console.log(JSON.stringify(match(pack, rows, question.hop_s, question.acceptance, question.options)));
  }
} catch (error) {
  console.error(`Error: ${error.message.split('\n')[0]}`);
  process.exitCode = 1;
}
