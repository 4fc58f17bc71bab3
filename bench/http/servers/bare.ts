/** Node's own HTTP server and nothing else: reads the request to its end and sends bytes that it was given. */
import { createServer } from 'node:http';
import { endWithParent, readPlan, sayWhere } from './listening.js';

const { answers } = readPlan();
const bytes = new Map<string, Buffer>(
  Object.entries(answers).flatMap(([row, texts]) =>
    texts.map((text, place) => [`/${row}/${place}`, Buffer.from(text)] as const),
  ),
);

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = bytes.get(request.url ?? '');
    if (body === undefined || parts.length === 0) return response.writeHead(404).end();
    return response
      .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
      .end(body);
  });
});
server.listen(0, '127.0.0.1', () => sayWhere(server.address()));
endWithParent();
