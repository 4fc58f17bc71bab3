import { matrixOn } from './matrix.js';

matrixOn('postgres');
