import { Body, Controller, Get, Headers, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common'
import type { Admission } from './admission.js'
import type { Patient } from './patient.entity.js'
import { PatientsService } from './patients.service.js'

@Controller('patients')
export class PatientsController {
  constructor(private readonly patients: PatientsService) {}

  @Post()
  admit(@Headers('x-tenant') clinic: string, @Body() admission: Admission): Promise<Patient> {
    return this.patients.admit(clinic, admission)
  }

  @Get()
  find(@Query('email') email = ''): Promise<Patient[]> {
    return this.patients.findByEmail(email)
  }

  @Get(':id')
  get(@Param('id', ParseUUIDPipe) id: string): Promise<Patient> {
    return this.patients.get(id)
  }
}
