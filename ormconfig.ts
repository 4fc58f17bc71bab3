/** For TypeORM's command line: `npx tsx node_modules/typeorm/cli.js migration:show -d ormconfig.ts`. */
import { commandLineSource } from './src/store/index.js';

export default commandLineSource(process.env.BAILIWICK_DATABASE_URL ?? 'sqlite:data/bailiwick.db');
