return await Dcr.Cli.DcrCommand.RunAsync(args);
