import type { Contract } from '../../contract/contract';
import type { OpenTableOptions } from '../open-table';
import type { Commit, PublishInput, Table, TableState, VacuumReport } from '../table';
import type { Report } from '../../quality/report-types';

/* oxlint-disable */
export class DirectoryTable implements Table {
  readonly path: string;
  constructor(contract: Contract, _options: OpenTableOptions) {
    this.path = contract.publish.path;
  }
  async read(): Promise<TableState> {
    throw new Error('being built');
  }
  async claimFolder(): Promise<void> {
    throw new Error('being built');
  }
  async find(_requestId: string): Promise<Commit | null> {
    throw new Error('being built');
  }
  async publish(_input: PublishInput): Promise<Commit> {
    throw new Error('being built');
  }
  async history(_limit?: number): Promise<Commit[]> {
    throw new Error('being built');
  }
  async report(_version?: number): Promise<Report> {
    throw new Error('being built');
  }
  async pathOf(_version?: number): Promise<string> {
    throw new Error('being built');
  }
  async vacuum(_options: { dryRun: boolean; olderThanHours: number; now?: Date }): Promise<VacuumReport> {
    throw new Error('being built');
  }
}
